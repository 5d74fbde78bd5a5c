#include "runtime/probes/firecracker_api.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/os/passed_descriptors.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

constexpr std::string_view request =
    "PUT /actions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n"
    R"({"action_type": "FlushMetrics"})";
constexpr std::string_view done = "HTTP/1.1 204 ";
/// Of an answer, as much as says whether it was done.
constexpr std::size_t status_bytes = done.size();

probe_error refusal(int system_error) { return system_refusal("the VMM's API", system_error); }

std::optional<probe_error> wait_for(int socket, short events, monotonic_time deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  pollfd ready{socket, events, 0};
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  const int count = uninterrupted([&] { return ::poll(&ready, 1, wait); });
  if (count < 0) return refusal(errno);
  if (count == 0) return probe_error{probe_error_kind::timed_out, "the VMM's API does not answer"};
  return std::nullopt;
}

std::optional<probe_error> send_request(int socket, monotonic_time deadline) {
  std::string_view left = request;
  while (!left.empty()) {
    const auto sent = uninterrupted([&] { return ::send(socket, left.data(), left.size(), MSG_NOSIGNAL); });
    if (sent < 0 && errno != EAGAIN) return refusal(errno);
    left.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    if (left.empty()) break;
    if (auto error = wait_for(socket, POLLOUT, deadline)) return error;
  }
  return std::nullopt;
}

std::optional<probe_error> read_status(int socket, monotonic_time deadline) {
  std::array<char, status_bytes> answer{};
  std::size_t length = 0;
  while (length < answer.size()) {
    if (auto error = wait_for(socket, POLLIN, deadline)) return error;
    const auto bytes = uninterrupted([&] { return ::recv(socket, answer.data() + length, answer.size() - length, 0); });
    if (bytes < 0 && errno == EAGAIN) continue;
    if (bytes < 0) return refusal(errno);
    if (bytes == 0) break;
    length += static_cast<std::size_t>(bytes);
  }
  if (std::string_view{answer.data(), length} == done) return std::nullopt;
  return probe_error{probe_error_kind::io, "the VMM does not flush its metrics"};
}

}  // namespace

std::optional<probe_error> flush_metrics(const firecracker_api_place& place, monotonic_time deadline) {
  const auto directory = open_trusted_directory(place.directory);
  if (!directory) return directory.error();
  const auto name = name_socket(directory->get(), place.path, place.owner);
  if (!name) return name.error();
  const file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return refusal(errno);
  take_no_descriptors(socket.get());
  // The very socket that was looked at, however long its path is.
  const std::string path = "/proc/self/fd/" + std::to_string(name->get());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int connected = uninterrupted(
      [&] { return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address); });
  if (connected != 0) return refusal(errno);
  if (auto error = send_request(socket.get(), deadline)) return error;
  return read_status(socket.get(), deadline);
}

}  // namespace cellos
