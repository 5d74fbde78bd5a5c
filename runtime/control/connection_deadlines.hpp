#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace cellos {

/// Ends connections that take too long over one request or one answer, however busy they look: a byte now and then
/// would keep a place for ever. Thread-safe.
class connection_deadlines {
 public:
  struct limits {
    /// From the first moment a request could come, to its last byte.
    std::chrono::nanoseconds request;
    /// From the moment an answer is there, to its last byte.
    std::chrono::nanoseconds answer;
  };

  explicit connection_deadlines(limits allowed);
  ~connection_deadlines();
  connection_deadlines(const connection_deadlines&) = delete;
  connection_deadlines& operator=(const connection_deadlines&) = delete;

  /// The next request may come.
  void awaits_request(int socket);
  /// Nothing is expected of the client: its answer is being looked up, or has no end.
  void awaits_nothing(int socket);
  void takes_answer(int socket);
  /// Before the descriptor is closed.
  void closes(int socket);

 private:
  using clock = std::chrono::steady_clock;
  enum class waiting_for : std::uint8_t { nothing, request, taking };
  struct connection {
    waiting_for what;
    clock::time_point until;
  };

  void set(int socket, waiting_for what, clock::time_point until);
  void run();
  void end_overdue(clock::time_point now);
  clock::time_point next() const;

  const limits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, connection> connections_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cellos
