#include "runtime/http_forwarding/http_forwarder.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "runtime/http_forwarding/http_cursor_file.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

http_delivery_settings delivery_of(const http_settings& receiver) {
  http_delivery_settings out;
  out.batched = receiver.batched;
  out.batch_bytes = receiver.batch_bytes;
  out.skip.insert(receiver.skip.begin(), receiver.skip.end());
  out.seed = std::random_device{}();
  return out;
}

std::optional<http_cursor> remembered_in(const std::filesystem::path& dir, const std::string& url) {
  const auto mark = read_http_mark(dir);
  if (!mark || mark->url != url) return std::nullopt;
  return mark->reached;
}

}  // namespace

http_forwarder::http_forwarder(const http_forwarder_settings& settings, receiver_events& events,
                               std::function<segment_position()> committed)
    : settings_(settings),
      events_(events),
      committed_(std::move(committed)),
      source_(settings.dir, committed_),
      marked_(remembered_in(settings.dir, settings.receiver.url)),
      delivery_(delivery_of(settings.receiver), source_, marked_),
      poster_(std::make_unique<http_poster>(settings.receiver)),
      thread_([this] { run(); }) {}

http_forwarder::~http_forwarder() { stop(); }

void http_forwarder::run() {
  while (!stopping_) {
    const monotonic_time begun = std::chrono::steady_clock::now();
    const auto until_due = std::chrono::ceil<milliseconds>(delivery_.next_wake() - begun);
    const auto answer = poster_->take_answer(std::clamp(until_due, milliseconds{1}, settings_.look_every));
    const monotonic_time now = std::chrono::steady_clock::now();
    if (answer) delivery_.answered(answer->number, answer->answer, now);
    if (goes_on_.exchange(false)) delivery_.go_on();
    delivery_.tick(now);
    if (auto request = delivery_.take_request()) poster_->post(std::move(*request));
    report(now);
    write_mark(now, false);
  }
  write_mark(std::chrono::steady_clock::now(), true);
  poster_.reset();
}

void http_forwarder::report(monotonic_time now) {
  for (const receiver_note& each : delivery_.take_notes(now)) events_.noted(each, settings_.receiver.url);
  const receiver_status status = delivery_.status();
  report_.add(status);
  if (report_.is_due(now)) report_.show(receiver_shown("http", settings_.receiver.url, status, source_), now);
}

void http_forwarder::write_mark(monotonic_time now, bool is_last) {
  const auto cursor = delivery_.cursor();
  if (!cursor || cursor == marked_ || (now < mark_at_ && !is_last)) return;
  mark_at_ = now + settings_.mark_every;
  // Without it a start delivers more again; nothing is lost.
  if (!write_http_mark(settings_.dir, {*cursor, settings_.receiver.url})) marked_ = cursor;
}

bool http_forwarder::drain(milliseconds timeout) const {
  // What was committed last may be behind the last report.
  return report_.wait_for_complete(committed_(), timeout);
}

void http_forwarder::stop() {
  if (stopping_.exchange(true)) return;
  thread_.join();
}

}  // namespace cellos
