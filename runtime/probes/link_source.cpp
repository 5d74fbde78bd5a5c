#include "runtime/probes/link_source.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/probes/network_namespace.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

/// As large as the kernel makes a datagram of a dump for a reader with room.
constexpr std::size_t datagram_bytes = 32768;
/// Links come and go; a namespace where three dumps in a row meet a change is asked again in the next turn.
constexpr int most_attempts = 3;

std::optional<probe_error> wait_for(int socket, monotonic_time deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  pollfd answer{socket, POLLIN, 0};
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  const int ready = uninterrupted([&] { return ::poll(&answer, 1, wait); });
  if (ready < 0) return system_refusal("rtnetlink", errno);
  if (ready == 0) return probe_error{probe_error_kind::timed_out, "rtnetlink: no answer in time"};
  return std::nullopt;
}

probe_result<link_dump::progress> dump_once(int socket, link_dump& dump, std::uint32_t number,
                                            monotonic_time deadline) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const std::string request = link_dump_request(number);
  const auto sent = uninterrupted([&] {
    return ::sendto(socket, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel);
  });
  if (sent < 0) return system_refusal("rtnetlink", errno);
  // From new, so that it is aligned for whatever is in it.
  const auto buffer = std::make_unique<char[]>(datagram_bytes);
  for (;;) {
    if (auto error = wait_for(socket, deadline)) return *std::move(error);
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const auto bytes = uninterrupted([&] {
      return ::recvfrom(socket, buffer.get(), datagram_bytes, MSG_TRUNC | MSG_DONTWAIT,
                        reinterpret_cast<sockaddr*>(&sender), &length);
    });
    if (bytes < 0 && errno == EAGAIN) continue;
    // Answers were lost: as good as a change meanwhile.
    if (bytes < 0 && errno == ENOBUFS) return link_dump::progress::interrupted;
    if (bytes < 0) return system_refusal("rtnetlink", errno);
    // Processes can write to each other's sockets.
    if (sender.nl_pid != 0) continue;
    if (static_cast<std::size_t>(bytes) > datagram_bytes) {
      return probe_error{probe_error_kind::malformed_source, "rtnetlink: a datagram is too long"};
    }
    const auto progress = dump.take(std::span<const char>{buffer.get(), static_cast<std::size_t>(bytes)});
    if (progress != link_dump::progress::more) return progress;
  }
}

probe_result<link_table> read_links_here(monotonic_time deadline) {
  const file_descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (!socket) return system_refusal("rtnetlink", errno);
  for (int attempt = 1; attempt <= most_attempts; ++attempt) {
    const auto number = static_cast<std::uint32_t>(attempt);
    link_dump dump{number};
    const auto progress = dump_once(socket.get(), dump, number, deadline);
    if (!progress) return progress.error();
    switch (*progress) {
      case link_dump::progress::complete: return dump.links();
      case link_dump::progress::refused: return system_refusal("rtnetlink", dump.refusal());
      case link_dump::progress::interrupted: continue;
      default: return probe_error{probe_error_kind::malformed_source, "rtnetlink: an answer has another form"};
    }
  }
  return probe_error{probe_error_kind::io, "rtnetlink: links change while they are listed"};
}

}  // namespace

probe_result<link_table> read_links(const std::string& namespace_path, monotonic_time deadline) {
  std::optional<probe_result<link_table>> links;
  if (auto error = in_network_namespace(namespace_path, [&] { links.emplace(read_links_here(deadline)); })) {
    return *std::move(error);
  }
  return *std::move(links);
}

}  // namespace cellos
