#include "runtime/jetstream/nats_link.hpp"

#include <utility>

#include "runtime/jetstream/nats_session.hpp"

namespace cellos {

namespace {

/// Connections whose threads hang; each is let go by its server, or by the kernel, in the end. Chosen here.
constexpr std::size_t most_left = 8;
/// How long the end of the link waits for threads. Above what libnats waits where it does not hang.
constexpr std::chrono::milliseconds farewell{2500};

}  // namespace

nats_link::nats_link(const jetstream_settings& settings, const std::string& host_id)
    : settings_(std::make_shared<const nats_session_settings>(nats_session_settings{settings, host_id})),
      events_(std::make_shared<link_events>()) {}

nats_link::~nats_link() {
  hang_up(current_number_);
  const auto until = std::chrono::steady_clock::now() + farewell;
  for (const auto& each : left_) (void)each->ended(until);
}

void nats_link::connect(std::uint64_t session) {
  hang_up(current_number_);
  current_number_ = session;
  std::erase_if(left_, [](const auto& each) { return each->ended({}); });
  if (left_.size() >= most_left) {
    return events_->add({link_event::kind::lost, session, "earlier connections hang in their handshake"});
  }
  current_ = std::make_shared<nats_session>(settings_, events_, session);
  current_->start();
}

nats_session* nats_link::find(std::uint64_t session) { return session == current_number_ ? current_.get() : nullptr; }

void nats_link::hang_up(std::uint64_t session) {
  if (auto* found = find(session)) {
    found->leave();
    left_.push_back(std::exchange(current_, nullptr));
  }
}

void nats_link::ask_tail(std::uint64_t session) {
  if (auto* found = find(session)) found->ask_tail();
}

void nats_link::publish(std::uint64_t session, std::vector<stream_message> messages) {
  if (auto* found = find(session)) found->publish(std::move(messages));
}

std::vector<link_event> nats_link::take_events(std::chrono::milliseconds at_most) { return events_->take(at_most); }

}  // namespace cellos
