#include "runtime/probes/netlink_socket.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "runtime/os/file_system.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

/// As large as the kernel makes a datagram of a dump for a reader with room.
constexpr std::size_t datagram_bytes = 32768;

std::optional<probe_error> wait_for(int socket, std::string_view name, monotonic_time deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  pollfd answer{socket, POLLIN, 0};
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  const int ready = uninterrupted([&] { return ::poll(&answer, 1, wait); });
  if (ready < 0) return system_refusal(std::string{name}, errno);
  if (ready == 0) return probe_error{probe_error_kind::timed_out, std::string{name} + ": no answer in time"};
  return std::nullopt;
}

}  // namespace

probe_result<bool> whether_complete(netlink_dump::progress progress, const netlink_dump& dump, std::string_view name) {
  switch (progress) {
    case netlink_dump::progress::complete: return true;
    case netlink_dump::progress::interrupted: return false;
    case netlink_dump::progress::refused: return system_refusal(name, dump.refusal());
    default: return probe_error{probe_error_kind::malformed_source, std::string{name} + ": an answer has another form"};
  }
}

netlink_socket::netlink_socket(int family, std::string_view name)
    : name_(name), socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family)), failure_(socket_ ? 0 : errno) {}

probe_result<netlink_dump::progress> netlink_socket::take_answers(const taker& take, monotonic_time deadline) {
  // From new, so that it is aligned for whatever is in it.
  const auto buffer = std::make_unique<char[]>(datagram_bytes);
  for (;;) {
    if (auto error = wait_for(socket_.get(), name_, deadline)) return *std::move(error);
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const auto bytes = uninterrupted([&] {
      return ::recvfrom(socket_.get(), buffer.get(), datagram_bytes, MSG_TRUNC | MSG_DONTWAIT,
                        reinterpret_cast<sockaddr*>(&sender), &length);
    });
    if (bytes < 0 && errno == EAGAIN) continue;
    // Answers were lost: as good as a change meanwhile.
    if (bytes < 0 && errno == ENOBUFS) return netlink_dump::progress::interrupted;
    if (bytes < 0) return system_refusal(std::string{name_}, errno);
    // Processes can write to each other's sockets.
    if (sender.nl_pid != 0) continue;
    if (static_cast<std::size_t>(bytes) > datagram_bytes) {
      return probe_error{probe_error_kind::malformed_source, std::string{name_} + ": a datagram is too long"};
    }
    const auto progress = take(std::span<const char>{buffer.get(), static_cast<std::size_t>(bytes)});
    if (progress != netlink_dump::progress::more) return progress;
  }
}

probe_result<netlink_dump::progress> netlink_socket::exchange(const std::string& request, const taker& take,
                                                              monotonic_time deadline) {
  if (!socket_) return system_refusal(name_, failure_);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto sent = uninterrupted([&] {
    return ::sendto(socket_.get(), request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel);
  });
  if (sent < 0) return system_refusal(name_, errno);
  return take_answers(take, deadline);
}

probe_result<bool> netlink_socket::ask(const std::string& request, netlink_dump& dump, monotonic_time deadline) {
  const auto progress = exchange(
      request, [&](std::span<const char> each) { return dump.take(each); }, deadline);
  if (!progress) return progress.error();
  return whether_complete(*progress, dump, name_);
}

}  // namespace cellos
