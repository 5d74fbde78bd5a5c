#include "runtime/control/http_acceptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace cellos {

namespace {

/// Where nothing is left to accept with, how soon it is tried again. Chosen here.
constexpr int pause_milliseconds = 100;

file_descriptor checked(int fd, const char* call) {
  if (fd < 0) throw std::system_error{errno, std::system_category(), call};
  return file_descriptor{fd};
}

/// The listening socket is the library's no more, which would have made it so.
file_descriptor without_waiting(file_descriptor listening) {
  const int flags = ::fcntl(listening.get(), F_GETFL);
  if (flags < 0 || ::fcntl(listening.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    throw std::system_error{errno, std::system_category(), "fcntl"};
  }
  return listening;
}

}  // namespace

http_acceptor::http_acceptor(file_descriptor listening, std::size_t most, taker take)
    : listening_(without_waiting(std::move(listening))),
      most_(most),
      take_(std::move(take)),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  keep_reserve();
  thread_ = std::thread{[this] { run(); }};
}

void http_acceptor::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake();
  thread_.join();
}

void http_acceptor::connection_closed() {
  --open_;
  wake();
}

void http_acceptor::wake() const {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void http_acceptor::keep_reserve() {
  if (!reserve_) reserve_ = file_descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

void http_acceptor::run() {
  bool paused = false;
  while (!stopping_) {
    wait(paused);
    keep_reserve();
    int error = 0;
    while (!stopping_ && open_ < most_ && error == 0) error = accept_one();
    paused = error != 0 && error != EAGAIN && error != EWOULDBLOCK;
  }
}

/// A paused socket is not looked at: it would be ready at once.
void http_acceptor::wait(bool paused) {
  const bool listens = !paused && open_ < most_;
  pollfd ready[2] = {{wake_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
  ::poll(ready, listens ? 2 : 1, paused ? pause_milliseconds : -1);
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &ignored, sizeof ignored);
}

/// 0, or why nobody could be accepted.
int http_acceptor::accept_one() {
  sockaddr_storage peer{};
  socklen_t peer_bytes = sizeof peer;
  file_descriptor accepted = accept(peer, peer_bytes);
  if (!accepted && (errno == EMFILE || errno == ENFILE) && reserve_) {
    reserve_.reset();
    accepted = accept(peer, peer_bytes);
  }
  if (!accepted) return errno == ECONNABORTED || errno == EINTR ? 0 : errno;
  ++open_;
  if (!take_(std::move(accepted), reinterpret_cast<const sockaddr*>(&peer), peer_bytes)) --open_;
  return 0;
}

file_descriptor http_acceptor::accept(sockaddr_storage& peer, socklen_t& peer_bytes) const {
  peer_bytes = sizeof peer;
  return file_descriptor{
      ::accept4(listening_.get(), reinterpret_cast<sockaddr*>(&peer), &peer_bytes, SOCK_CLOEXEC | SOCK_NONBLOCK)};
}

}  // namespace cellos
