#include "runtime/daemon/jetstream_role.hpp"

#include <utility>

#include "runtime/daemon/readable_files.hpp"

namespace cellos {

namespace {

/// How long a stop waits for the stream. Within what a service manager allows; chosen here.
constexpr std::chrono::seconds drain_timeout{5};
/// The forwarder's own, and for each of several connections that hang one of ours and three of libnats.
constexpr std::size_t own_threads = 40;

}  // namespace

std::size_t jetstream_role::threads() const { return own_threads; }

std::vector<boot_step> jetstream_role::claim_steps() {
  return {{"read what the stream's servers are to see",
           [this] {
             const jetstream_settings& stream = settings_.forward.jetstream;
             return unreadable_file({stream.ca_file, stream.certificate_file, stream.key_file, stream.credentials_file,
                                     stream.password_file});
           },
           [] {}}};
}

std::vector<boot_step> jetstream_role::serve_steps() {
  return {{"deliver to the stream", [this] { return start(); }, [this] { stop(); }}};
}

std::string jetstream_role::start() {
  events_.emplace(process_.events());
  jetstream_forwarder_settings wanted;
  wanted.host_id = settings_.host_id;
  wanted.dir = settings_.evidence.dir;
  wanted.stream = settings_.forward.jetstream;
  auto opened = jetstream_forwarder::open(wanted, {*events_, [this] { return committed_.position(); }});
  forwarder_ = std::move(opened.forwarder);
  if (forwarder_) process_.nodes().show(this, {.forwarder = [this] { return forwarder_->shown(); }});
  return opened.refusal;
}

/// What is left goes on with the next start.
void jetstream_role::stop() {
  if (!forwarder_->drain(drain_timeout)) process_.events().forwarding_unfinished();
  process_.nodes().hide(this);
  forwarder_->stop();
  forwarder_.reset();
}

sign_of_life jetstream_role::check_liveness(std::chrono::nanoseconds timeout) {
  sign_of_life seen;
  if (!forwarder_->is_alive(timeout)) seen.problem = "The delivery to the stream does nothing";
  return seen;
}

}  // namespace cellos
