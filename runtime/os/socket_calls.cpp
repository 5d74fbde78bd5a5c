#include "runtime/os/socket_calls.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace cellos {

namespace {

class posix_socket_calls final : public socket_calls {
 public:
  int socket() override { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
  int fchmod(int fd, mode_t mode) override { return ::fchmod(fd, mode); }
  int bind(int fd, const sockaddr_un& address) override {
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  int listen(int fd, int backlog) override { return ::listen(fd, backlog); }
  int open_directory(const char* path) override { return ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }
  int lstat(int directory, const char* name, struct stat& there) override {
    return ::fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW);
  }
  int unlink(int directory, const char* name) override { return ::unlinkat(directory, name, 0); }
  int accept4(int fd) override { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }
  int peer_credentials(int fd, ucred& peer) override {
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  }
  ssize_t recv(int fd, void* into, std::size_t bytes) override { return ::recv(fd, into, bytes, MSG_DONTWAIT); }
  int shutdown(int fd, int how) override { return ::shutdown(fd, how); }
  int poll(std::span<pollfd> descriptors, const timespec& timeout) override {
    return ::ppoll(descriptors.data(), descriptors.size(), &timeout, nullptr);
  }
  int epoll_create() override { return ::epoll_create1(EPOLL_CLOEXEC); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return ::epoll_ctl(epoll, operation, fd, event);
  }
  int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) override {
    return ::epoll_wait(epoll, events, most, milliseconds);
  }
  int eventfd() override { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
  ssize_t read(int fd, void* into, std::size_t bytes) override { return ::read(fd, into, bytes); }
  ssize_t write(int fd, const void* from, std::size_t bytes) override { return ::write(fd, from, bytes); }
  int open_null() override { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
};

}  // namespace

socket_calls& real_socket_calls() {
  static auto* const instance = new posix_socket_calls;
  return *instance;
}

}  // namespace cellos
