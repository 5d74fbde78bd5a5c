#include "runtime/socket_service/socket_calls.hpp"

namespace cellos {

namespace {

class system_socket_calls final : public socket_calls {
 public:
  int socket() override { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
  int fchmod(int fd, mode_t mode) override { return ::fchmod(fd, mode); }
  int bind(int fd, const sockaddr* address, socklen_t size) override { return ::bind(fd, address, size); }
  int lstat(const char* path, struct stat* into) override { return ::lstat(path, into); }
  int listen(int fd, int backlog) override { return ::listen(fd, backlog); }
  int accept(int fd) override { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }
  ssize_t recv(int fd, void* into, std::size_t bytes) override { return ::recv(fd, into, bytes, MSG_DONTWAIT); }
  int peer_credentials(int fd, ucred* into) override {
    socklen_t size = sizeof *into;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, into, &size);
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return ::epoll_ctl(epoll, operation, fd, event);
  }
  int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) override {
    return ::epoll_wait(epoll, events, most, timeout_ms);
  }
  int shutdown(int fd, int how) override { return ::shutdown(fd, how); }
};

}  // namespace

socket_calls& real_socket_calls() {
  static auto* calls = new system_socket_calls;
  return *calls;
}

}  // namespace cellos
