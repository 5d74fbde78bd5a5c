#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include <cstddef>
#include <ctime>
#include <span>

namespace cellos {

/// The system calls the socket service depends on, as POSIX and Linux have them: -1 and errno on failure.
///
/// A seam, so that tests can fail each call in turn. Of what the I/O thread calls only `close` is not here: Linux gives
/// the descriptor back whatever it returns.
class socket_calls {
 public:
  socket_calls() = default;
  socket_calls(const socket_calls&) = delete;
  socket_calls& operator=(const socket_calls&) = delete;
  virtual ~socket_calls() = default;

  /// A Unix stream socket that never blocks.
  virtual int socket() = 0;
  virtual int fchmod(int fd, mode_t mode) = 0;
  virtual int bind(int fd, const sockaddr_un& address) = 0;
  virtual int listen(int fd, int backlog) = 0;
  /// A descriptor that names the directory and reads nothing of it.
  virtual int open_directory(const char* path) = 0;
  /// Of what the name itself is, not of what a link leads to. `directory` may be AT_FDCWD.
  virtual int lstat(int directory, const char* name, struct stat& there) = 0;
  virtual int unlink(int directory, const char* name) = 0;
  /// The new descriptor never blocks.
  virtual int accept4(int fd) = 0;
  virtual int peer_credentials(int fd, ucred& peer) = 0;
  /// Never waits.
  virtual ssize_t recv(int fd, void* into, std::size_t bytes) = 0;
  virtual int shutdown(int fd, int how) = 0;
  /// Returns at once if `timeout` is zero.
  virtual int poll(std::span<pollfd> descriptors, const timespec& timeout) = 0;
  virtual int epoll_create() = 0;
  virtual int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) = 0;
  virtual int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) = 0;
  /// A counter that wakes whoever polls it; neither of the two below ever waits.
  virtual int eventfd() = 0;
  virtual ssize_t read(int fd, void* into, std::size_t bytes) = 0;
  virtual ssize_t write(int fd, const void* from, std::size_t bytes) = 0;
  /// A descriptor that is good for nothing but to be given up.
  virtual int open_null() = 0;
};

/// The operating system's own. Thread-safe, never destroyed.
socket_calls& real_socket_calls();

}  // namespace cellos
