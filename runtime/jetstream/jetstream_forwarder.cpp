#include "runtime/jetstream/jetstream_forwarder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/jetstream/nats_link.hpp"
#include "runtime/jetstream/stream_mark.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t longest_path_shown = 512;

monotonic_time now_of_thread() { return std::chrono::steady_clock::now(); }

stream_delivery_settings delivery_of(const jetstream_forwarder_settings& settings, const node_log_id& log,
                                     std::uint64_t seed) {
  stream_delivery_settings out;
  out.host_id = settings.host_id;
  out.log = log;
  out.prefix = settings.stream.prefix;
  out.fence = settings.stream.fence;
  out.keep_after_ack = std::chrono::duration_cast<milliseconds>(settings.stream.keep_after_ack);
  out.seed = seed;
  return out;
}

std::string stream_text(const jetstream_settings& stream) {
  return stream.stream + '/' + stream.prefix + '/' + std::string{to_string(stream.fence)};
}

std::optional<stream_hint> remembered_in(const std::filesystem::path& dir, const std::string& stream) {
  const auto mark = read_stream_mark(dir);
  if (!mark || mark->stream != stream) return std::nullopt;
  return mark->reached;
}

}  // namespace

jetstream_forwarder::opening jetstream_forwarder::open(const jetstream_forwarder_settings& settings,
                                                       receiver_surroundings surroundings) {
  const auto log = read_or_make_log_id(settings.dir);
  if (log.failure) {
    return {nullptr, "the log's id \"" + escaped((settings.dir / "log-id").native(), longest_path_shown) +
                         "\" cannot be read or made: " + log.failure.message()};
  }
  std::uint64_t seed = 0;
  if (::getentropy(&seed, sizeof seed) != 0) return {nullptr, "there are no random numbers"};
  opening opened;
  opened.forwarder.reset(new jetstream_forwarder{settings, std::move(surroundings), log.id, seed});
  return opened;
}

jetstream_forwarder::jetstream_forwarder(const jetstream_forwarder_settings& settings,
                                         receiver_surroundings surroundings, const node_log_id& log, std::uint64_t seed)
    : settings_(settings),
      surroundings_(std::move(surroundings)),
      receiver_("jetstream:" + settings.stream.stream),
      stream_(stream_text(settings.stream)),
      source_(settings.dir, surroundings_.committed),
      marked_(remembered_in(settings.dir, stream_)),
      delivery_(delivery_of(settings, log, seed), source_, marked_),
      link_(std::make_unique<nats_link>(settings.stream, settings.host_id)),
      thread_([this] { run(); }) {}

jetstream_forwarder::~jetstream_forwarder() { stop(); }

void jetstream_forwarder::run() {
  while (!stopping_) {
    const monotonic_time now = now_of_thread();
    const auto until_due = std::chrono::ceil<milliseconds>(delivery_.next_wake() - now);
    take_events(std::clamp(until_due, milliseconds{1}, settings_.look_every));
    const monotonic_time then = now_of_thread();
    delivery_.tick(then);
    carry_out();
    report(then);
    write_mark(then, false);
  }
  write_mark(now_of_thread(), true);
  link_.reset();
}

void jetstream_forwarder::take_events(milliseconds at_most) {
  for (const link_event& each : link_->take_events(at_most)) {
    const monotonic_time now = now_of_thread();
    switch (each.what) {
      case link_event::kind::connected: delivery_.connected(each.session, now); break;
      case link_event::kind::lost: delivery_.lost(each.session, each.cause, now); break;
      case link_event::kind::found: delivery_.found(each.session, each.tail, now); break;
      case link_event::kind::answered: delivery_.answered(each.session, each.number, each.answer, now); break;
    }
  }
}

/// In their order; messages that follow each other together.
void jetstream_forwarder::carry_out() {
  std::vector<stream_message> messages;
  std::uint64_t session = 0;
  const auto publish = [&] {
    if (!messages.empty()) link_->publish(session, std::exchange(messages, {}));
  };
  for (stream_action& each : delivery_.take_actions()) {
    if (each.what == stream_action::kind::publish) {
      session = each.session;
      messages.push_back(std::move(each.message));
      continue;
    }
    publish();
    switch (each.what) {
      case stream_action::kind::connect: link_->connect(each.session); break;
      case stream_action::kind::hang_up: link_->hang_up(each.session); break;
      case stream_action::kind::ask_tail: link_->ask_tail(each.session); break;
      case stream_action::kind::publish: break;
    }
  }
  publish();
}

void jetstream_forwarder::report(monotonic_time now) {
  for (const receiver_note& each : delivery_.take_notes(now)) surroundings_.events.noted(each, receiver_);
  const receiver_status status = delivery_.status();
  report_.add(status);
  if (report_.is_due(now)) report_.show(receiver_shown("jetstream", receiver_, status, source_), now);
}

void jetstream_forwarder::write_mark(monotonic_time now, bool is_last) {
  const auto hint = delivery_.hint();
  if (!hint || hint == marked_ || (now < mark_at_ && !is_last)) return;
  mark_at_ = now + settings_.mark_every;
  // A hint alone: without it a stream whose end was removed gets that again.
  (void)write_stream_mark(settings_.dir, {*hint, stream_});
  marked_ = hint;
}

bool jetstream_forwarder::drain(milliseconds timeout) const {
  // What was committed last may be behind the last report.
  return report_.wait_for_complete(surroundings_.committed(), timeout);
}

void jetstream_forwarder::stop() {
  if (stopping_.exchange(true)) return;
  thread_.join();
}

}  // namespace cellos
