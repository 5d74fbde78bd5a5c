#include "runtime/guest_sim/connection.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "runtime/os/socket_path.hpp"

namespace cellos::guest_sim {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr const char* closed_by_host = "the host closed the connection";

connection_failure failure(connection_failure::kind kind, const std::string& what, int error) {
  return {kind, what + ": " + std::generic_category().message(error)};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > longest_socket_path) {
    throw failure(connection_failure::kind::unreachable, path, ENAMETOOLONG);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// 0 or the error.
int connect_once(int fd, const sockaddr_un& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd, generic, sizeof address) == 0 ? 0 : errno;
}

}  // namespace

wake wait_for(int fd, short events, std::optional<steady_time> deadline, const stop_signal& stop) {
  std::array<pollfd, 2> watched{pollfd{fd, events, 0}, pollfd{stop.fd(), POLLIN, 0}};
  while (true) {
    timespec left{};
    if (deadline) {
      const auto remaining = std::max(nanoseconds{*deadline - steady_clock::now()}, 0ns);
      left = {remaining / 1s, (remaining % 1s).count()};
    }
    const int woken = ppoll(watched.data(), watched.size(), deadline ? &left : nullptr, nullptr);
    if (woken < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "ppoll");
    if (woken < 0) continue;
    if (watched[1].revents != 0) return wake::stop;
    if (watched[0].revents != 0) return wake::ready;
    if (woken == 0) return wake::deadline;
  }
}

connection connection::open(const std::string& path, std::chrono::nanoseconds timeout, const stop_signal& stop) {
  constexpr auto longest_pause = 20ms;
  const auto address = address_of(path);
  const auto deadline = steady_clock::now() + timeout;
  for (nanoseconds pause = 1ms;; pause = std::min<nanoseconds>(pause * 2, longest_pause)) {
    connection opened;
    opened.fd_ = file_descriptor{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!opened) throw std::system_error(errno, std::generic_category(), "socket");
    const int error = connect_once(opened.fd_.get(), address);
    if (error == 0) return opened;
    if (steady_clock::now() >= deadline) throw failure(connection_failure::kind::unreachable, path, error);
    const auto again = std::min(deadline, steady_clock::now() + pause);
    if (wait_for(-1, 0, again, stop) == wake::stop) return {};
  }
}

std::size_t connection::write_some(std::span<const std::uint8_t> bytes) {
  const auto taken = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (taken >= 0) return static_cast<std::size_t>(taken);
  if (errno == EAGAIN || errno == EINTR) return 0;
  throw failure(connection_failure::kind::broken, closed_by_host, errno);
}

wake connection::wait_writable(std::optional<steady_time> deadline, const stop_signal& stop) const {
  return wait_for(fd_.get(), POLLOUT, deadline, stop);
}

wake connection::wait_closed(std::optional<steady_time> deadline, const stop_signal& stop) const {
  std::array<std::uint8_t, 256> ignored;
  while (true) {
    const auto woken = wait_for(fd_.get(), POLLIN, deadline, stop);
    if (woken != wake::ready) return woken;
    const auto got = recv(fd_.get(), ignored.data(), ignored.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return wake::ready;
  }
}

wake connection::wait_taken(const stop_signal& stop) const {
  constexpr auto longest_pause = 2ms;
  for (nanoseconds pause = 20us;; pause = std::min<nanoseconds>(pause * 2, longest_pause)) {
    int untaken = 0;
    if (ioctl(fd_.get(), SIOCOUTQ, &untaken) != 0) {
      throw std::system_error(errno, std::generic_category(), "SIOCOUTQ");
    }
    if (untaken == 0) return wake::ready;
    // The kernel notifies no one when a queue runs empty: look again soon.
    const auto woken = wait_closed(steady_clock::now() + pause, stop);
    if (woken == wake::ready) throw failure(connection_failure::kind::broken, closed_by_host, ECONNRESET);
    if (woken == wake::stop) return woken;
  }
}

}  // namespace cellos::guest_sim
