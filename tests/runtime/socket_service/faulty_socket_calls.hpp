#pragma once

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "runtime/os/socket_calls.hpp"

namespace cellos::test {

enum class socket_call : std::uint8_t {
  socket,
  fchmod,
  bind,
  listen,
  open_directory,
  lstat,
  unlink,
  accept4,
  peer_credentials,
  recv,
  shutdown,
  poll,
  epoll_create,
  epoll_ctl,
  epoll_wait,
  eventfd,
  read,
  write,
  open_null,
};

/// The real calls, of which the n-th of one kind fails once. An accept or a read that fails takes nothing.
class faulty_socket_calls : public socket_calls {
 public:
  /// From 1; the next `nth` call of this kind fails with `error`.
  void fail(socket_call call, std::uint64_t nth, int error) {
    call_ = call;
    error_ = error;
    left_ = nth;
  }
  socket_call failing() const { return call_; }
  /// Whether the fault has happened.
  bool struck() const { return left_ == 0; }

  /// While it is closed, the I/O thread does not get to wait for events.
  void close_gate(bool closed) {
    {
      const std::lock_guard lock{mutex_};
      gate_closed_ = closed;
    }
    gate_moved_.notify_all();
  }
  bool is_held() {
    const std::lock_guard lock{mutex_};
    return held_;
  }

  int socket() override { return refused(socket_call::socket) ? -1 : real_.socket(); }
  int fchmod(int fd, mode_t mode) override { return refused(socket_call::fchmod) ? -1 : real_.fchmod(fd, mode); }
  int bind(int fd, const sockaddr_un& address) override {
    return refused(socket_call::bind) ? -1 : real_.bind(fd, address);
  }
  int listen(int fd, int backlog) override { return refused(socket_call::listen) ? -1 : real_.listen(fd, backlog); }
  int open_directory(const char* path) override {
    return refused(socket_call::open_directory) ? -1 : real_.open_directory(path);
  }
  int lstat(int directory, const char* name, struct stat& there) override {
    return refused(socket_call::lstat) ? -1 : real_.lstat(directory, name, there);
  }
  int unlink(int directory, const char* name) override {
    return refused(socket_call::unlink) ? -1 : real_.unlink(directory, name);
  }
  int accept4(int fd) override { return refused(socket_call::accept4) ? -1 : real_.accept4(fd); }
  int peer_credentials(int fd, ucred& peer) override {
    return refused(socket_call::peer_credentials) ? -1 : real_.peer_credentials(fd, peer);
  }
  ssize_t recv(int fd, void* into, std::size_t bytes) override {
    return refused(socket_call::recv) ? -1 : real_.recv(fd, into, bytes);
  }
  int shutdown(int fd, int how) override { return refused(socket_call::shutdown) ? -1 : real_.shutdown(fd, how); }
  int poll(std::span<pollfd> descriptors, const timespec& timeout) override {
    return refused(socket_call::poll) ? -1 : real_.poll(descriptors, timeout);
  }
  int epoll_create() override { return refused(socket_call::epoll_create) ? -1 : real_.epoll_create(); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return refused(socket_call::epoll_ctl) ? -1 : real_.epoll_ctl(epoll, operation, fd, event);
  }
  int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) override {
    wait_at_the_gate();
    return refused(socket_call::epoll_wait) ? -1 : real_.epoll_wait(epoll, events, most, milliseconds);
  }
  int eventfd() override { return refused(socket_call::eventfd) ? -1 : real_.eventfd(); }
  ssize_t read(int fd, void* into, std::size_t bytes) override {
    return refused(socket_call::read) ? -1 : real_.read(fd, into, bytes);
  }
  ssize_t write(int fd, const void* from, std::size_t bytes) override {
    return refused(socket_call::write) ? -1 : real_.write(fd, from, bytes);
  }
  int open_null() override { return refused(socket_call::open_null) ? -1 : real_.open_null(); }

 private:
  bool refused(socket_call call) {
    if (call != call_ || left_ == 0 || --left_ > 0) return false;
    errno = error_;
    return true;
  }

  void wait_at_the_gate() {
    std::unique_lock lock{mutex_};
    held_ = gate_closed_;
    gate_moved_.wait(lock, [this] { return !gate_closed_; });
    held_ = false;
  }

  std::mutex mutex_;
  std::condition_variable gate_moved_;
  bool gate_closed_ = false;
  bool held_ = false;
  socket_calls& real_ = real_socket_calls();
  std::atomic<socket_call> call_{};
  std::atomic<int> error_{0};
  std::atomic<std::uint64_t> left_{0};
};

}  // namespace cellos::test
