#include "runtime/daemon/http_role.hpp"

#include <utility>

#include "runtime/daemon/readable_files.hpp"

namespace cellos {

namespace {

/// How long a stop waits for the receiver. Within what a service manager allows; chosen here.
constexpr std::chrono::seconds drain_timeout{5};
/// The forwarder's own, libcurl's and that of its resolver, and those that hang.
constexpr std::size_t own_threads = 8;

}  // namespace

std::size_t http_role::threads() const { return own_threads; }

std::vector<boot_step> http_role::claim_steps() {
  return {{"read what the HTTP receiver is to see",
           [this] {
             const http_settings& http = settings_.forward.http;
             return unreadable_file({http.ca_file, http.certificate_file, http.key_file, http.authorization_file});
           },
           [] {}}};
}

std::vector<boot_step> http_role::serve_steps() {
  return {{"deliver over HTTP", [this] { return start(); }, [this] { stop(); }}};
}

std::string http_role::start() {
  events_.emplace(process_.events());
  http_forwarder_settings wanted;
  wanted.dir = settings_.evidence.dir;
  wanted.receiver = settings_.forward.http;
  forwarder_ = std::make_unique<http_forwarder>(wanted, *events_, [this] { return committed_.position(); });
  process_.nodes().show(this, {.forwarder = [this] { return forwarder_->shown(); }});
  return {};
}

/// What is left goes on with the next start.
void http_role::stop() {
  const bool is_stopped = forwarder_->status().is_stopped;
  if (is_stopped || !forwarder_->drain(drain_timeout)) process_.events().forwarding_unfinished();
  process_.nodes().hide(this);
  forwarder_->stop();
  forwarder_.reset();
}

sign_of_life http_role::check_liveness(std::chrono::nanoseconds timeout) {
  sign_of_life seen;
  if (!forwarder_->is_alive(timeout)) seen.problem = "The delivery over HTTP does nothing";
  return seen;
}

std::vector<std::string> http_role::unready_reasons() const {
  if (!forwarder_->status().is_stopped) return {};
  return {"the delivery over HTTP is stopped: delivery_stopped in the log says at which line, and why"};
}

}  // namespace cellos
