#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>

#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// Accepts on one listening socket, on a thread of its own, for a library that would spin where descriptors run out.
/// Whoever comes beyond the limit waits in the backlog. Where not one descriptor is left, those that wait are served
/// one after the other, by means of one that is kept for it.
class http_acceptor {
 public:
  /// Takes the connection over, never blocks. False if it could not; then it is closed.
  using taker = std::function<bool(file_descriptor accepted, const sockaddr* peer, socklen_t peer_bytes)>;

  /// An exception if there is no thread or descriptor to begin with.
  http_acceptor(file_descriptor listening, std::size_t most, taker take);
  http_acceptor(const http_acceptor&) = delete;
  http_acceptor& operator=(const http_acceptor&) = delete;
  ~http_acceptor() { stop(); }

  /// One that was taken over is closed. Any thread, also after `stop`.
  void connection_closed();
  /// Nobody is accepted any more when this returns.
  void stop();

 private:
  void run();
  void wait(bool paused);
  int accept_one();
  file_descriptor accept(sockaddr_storage& peer, socklen_t& peer_bytes) const;
  void keep_reserve();
  void wake() const;

  const file_descriptor listening_;
  const std::size_t most_;
  const taker take_;
  const file_descriptor wake_;
  file_descriptor reserve_;
  std::atomic<std::size_t> open_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cellos
