#include "tests/support/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace cellos::test {

service_manager::service_manager(std::chrono::microseconds watchdog)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const std::string path = home_ / "notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  if (!socket_ || ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error{errno, std::system_category(), path};
  }
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  if (watchdog.count() > 0) ::setenv("WATCHDOG_USEC", std::to_string(watchdog.count()).c_str(), 1);
}

service_manager::~service_manager() {
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
}

const std::vector<std::string>& service_manager::reported() {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return reported_;
    reported_.emplace_back(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::size_t service_manager::count(std::string_view part) {
  const auto has_part = [part](const std::string& message) { return message.find(part) != std::string::npos; };
  return static_cast<std::size_t>(std::count_if(reported().begin(), reported().end(), has_part));
}

std::string service_manager::wait_for(std::string_view part, std::size_t nth, std::chrono::nanoseconds limit) {
  if (!holds_within(limit, [&] { return count(part) >= nth; })) return {};
  for (const std::string& message : reported_) {
    if (message.find(part) != std::string::npos && --nth == 0) return message;
  }
  return {};
}

}  // namespace cellos::test
