#include "runtime/control/connection_deadlines.hpp"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

namespace cellos {

namespace {

constexpr std::string_view too_slow =
    "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 86\r\n\r\n"
    "{\"error\":\"the request did not come in time\",\"hint\":\"send it without a pause between\"}\n";
static_assert(too_slow.size() - too_slow.find("{\"error\"") == 86);

/// A deadline that passes while others are waited for may be found so much late. Chosen here.
constexpr std::chrono::milliseconds coarseness{50};

}  // namespace

connection_deadlines::connection_deadlines(limits allowed) : limits_(allowed), thread_([this] { run(); }) {}

connection_deadlines::~connection_deadlines() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void connection_deadlines::awaits_request(int socket) {
  set(socket, waiting_for::request, clock::now() + limits_.request);
}

void connection_deadlines::awaits_nothing(int socket) { set(socket, waiting_for::nothing, clock::time_point::max()); }

void connection_deadlines::takes_answer(int socket) { set(socket, waiting_for::taking, clock::now() + limits_.answer); }

void connection_deadlines::closes(int socket) {
  const std::lock_guard lock{mutex_};
  connections_.erase(socket);
}

void connection_deadlines::set(int socket, waiting_for what, clock::time_point until) {
  const std::lock_guard lock{mutex_};
  // The thread need not be woken: it looks at least as often as the shorter limit.
  connections_.insert_or_assign(socket, connection{what, until});
}

void connection_deadlines::run() {
  ::pthread_setname_np(::pthread_self(), "http-deadlines");
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    end_overdue(clock::now());
    changed_.wait_until(lock, next());
  }
}

void connection_deadlines::end_overdue(clock::time_point now) {
  for (auto& [socket, known] : connections_) {
    if (known.until > now) continue;
    // Whoever is in the middle of an answer would take this for a part of it.
    if (known.what == waiting_for::request) {
      ::send(socket, too_slow.data(), too_slow.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    // Whoever serves the connection sees its end, and closes it.
    ::shutdown(socket, SHUT_RDWR);
    known = {waiting_for::nothing, clock::time_point::max()};
  }
}

connection_deadlines::clock::time_point connection_deadlines::next() const {
  auto next = clock::now() + std::min(limits_.request, limits_.answer);
  for (const auto& [socket, known] : connections_) next = std::min(next, known.until);
  return next + coarseness;
}

}  // namespace cellos
