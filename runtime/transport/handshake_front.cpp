#include "runtime/transport/handshake_front.hpp"

#include <openssl/ssl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

#include "runtime/transport/tls_handshake.hpp"

namespace cellos {
namespace {

/// At once, before those who shake hands have their turn.
constexpr int most_accepted = 64;
/// When there are as many as may be, who comes takes the place of who has been silent for this part of the time for a
/// handshake, a slow line's round trip, and then of who has said something and used up half of that time.
constexpr int silent_part = 16;
constexpr int slow_part = 2;
/// Without descriptors or memory, accepting is tried again after this.
constexpr std::chrono::milliseconds pause_of_accepting{100};

/// Places in the list that is polled, behind the wake-up.
constexpr std::size_t listener_place = 1;
constexpr std::size_t first_handshake = 2;

}  // namespace

handshake_front::handshake_front(file_descriptor listener, const current_tls_context& tls, const server_limits& limits,
                                 transport_counts& counts, std::function<void(arrival)> welcome)
    : listener_(std::move(listener)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      tls_(tls),
      limits_(limits),
      counts_(counts),
      welcome_(std::move(welcome)),
      thread_([this] { run(); }) {}

handshake_front::~handshake_front() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void handshake_front::run() {
  while (!stopping_) {
    const bool somebody = await_something();
    const auto now = std::chrono::steady_clock::now();
    serve(now);
    if (somebody && !stopping_) accept_some(now);
    counts_.pending = handshakes_.size();
  }
  handshakes_.clear();
  counts_.pending = 0;
}

bool handshake_front::await_something() {
  const monotonic_time now = std::chrono::steady_clock::now();
  const auto accepts_from = std::max(accepts_from_, room_from());
  const bool accepts = now >= accepts_from;
  polled_.clear();
  polled_.push_back({wake_.get(), POLLIN, 0});
  polled_.push_back({accepts ? listener_.get() : -1, POLLIN, 0});
  for (const auto& with : handshakes_) polled_.push_back({with.socket.get(), with.waits_for, 0});
  auto until = accepts ? monotonic_time::max() : accepts_from;
  // By arrival, so the first has the earliest deadline.
  if (!handshakes_.empty()) until = std::min(until, handshakes_.front().until);
  int timeout = -1;
  if (until != monotonic_time::max()) {
    timeout = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, {})).count());
  }
  if (::poll(polled_.data(), polled_.size(), timeout) <= 0) {
    for (auto& each : polled_) each.revents = 0;
  }
  return polled_[listener_place].revents != 0;
}

void handshake_front::serve(monotonic_time now) {
  for (std::size_t i = 0; i < handshakes_.size(); ++i) {
    auto& with = handshakes_[i];
    if (polled_[first_handshake + i].revents != 0) with.over = proceed(with);
    if (with.over || now < with.until) continue;
    counts_.count(connection_refusal::handshake_timeout);
    with.over = true;
  }
  std::erase_if(handshakes_, [](const handshake& with) { return with.over; });
}

bool handshake_front::proceed(handshake& with) {
  if (!with.ssl) {
    with.context = tls_.get();
    with.ssl = with.context->begin(with.socket.get());
    if (!with.ssl) {
      counts_.count(connection_refusal::not_accepted);
      return true;
    }
  }
  switch (shake_hands(with.ssl.get())) {
    case handshake_step::waits_to_read: with.waits_for = POLLIN; return false;
    case handshake_step::waits_to_write: with.waits_for = POLLOUT; return false;
    case handshake_step::failed: counts_.count(why_failed(with.ssl.get())); return true;
    case handshake_step::done: finish(with); return true;
  }
  return true;
}

void handshake_front::finish(handshake& with) {
  // It was verified to have one.
  const auto id = host_id_of(SSL_get0_peer_certificate(with.ssl.get()));
  if (!id) return counts_.count(connection_refusal::no_host_name);
  // The deny-list may be another one than when it began.
  const auto current = tls_.get();
  if (current && current->denies(*id)) return counts_.count(connection_refusal::host_denied);
  welcome_({.socket = std::move(with.socket),
            .context = std::move(with.context),
            .ssl = std::move(with.ssl),
            .host_id = *id,
            .address = std::move(with.address)});
}

void handshake_front::accept_some(monotonic_time now) {
  for (int i = 0; i < most_accepted && now >= room_from(); ++i) {
    socket_address from;
    from.size = sizeof from.bytes;
    file_descriptor socket{
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from.bytes), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!socket) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
      counts_.count(connection_refusal::not_accepted);
      accepts_from_ = now + pause_of_accepting;
      return;
    }
    if (!tls_.get()) {
      welcome_({.socket = std::move(socket), .context = {}, .ssl = {}, .host_id = {}, .address = from.text()});
      continue;
    }
    if (handshakes_.size() >= limits_.pending) {
      handshakes_.erase(std::ranges::min_element(handshakes_, {}, [&](const auto& with) { return gives_way(with); }));
      counts_.count(connection_refusal::too_many_pending);
    }
    handshakes_.push_back({.socket = std::move(socket), .address = from.text(), .until = now + limits_.handshake});
  }
}

monotonic_time handshake_front::gives_way(const handshake& with) const {
  return with.until - limits_.handshake + limits_.handshake / (with.ssl ? slow_part : silent_part);
}

monotonic_time handshake_front::room_from() const {
  if (handshakes_.size() < limits_.pending) return {};
  auto first = monotonic_time::max();
  for (const auto& with : handshakes_) first = std::min(first, gives_way(with));
  return first;
}

}  // namespace cellos
