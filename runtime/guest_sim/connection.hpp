#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "runtime/guest_sim/stop_signal.hpp"
#include "runtime/os/file_descriptor.hpp"

namespace cellos::guest_sim {

using steady_time = std::chrono::steady_clock::time_point;

/// The host closed, or never answered.
struct connection_failure : std::runtime_error {
  enum class kind : std::uint8_t { unreachable, broken } what_failed;
  connection_failure(kind what, const std::string& text) : std::runtime_error(text), what_failed(what) {}
};

enum class wake : std::uint8_t { ready, deadline, stop };

/// Waits until `fd` is ready for `events` or has hung up (a negative one never is), `deadline` passes (none: never), or
/// stopping is asked for.
wake wait_for(int fd, short events, std::optional<steady_time> deadline, const stop_signal& stop);

/// One connection to the host-side socket, closed with the object. Never blocks but in its waits.
class connection {
 public:
  /// Not connected.
  connection() = default;

  /// Connects as Firecracker's VMM does; tries again until `timeout`, then throws `unreachable`. Not connected when
  /// stopping was asked for meanwhile.
  static connection open(const std::string& path, std::chrono::nanoseconds timeout, const stop_signal& stop);

  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }

  /// How much of `bytes` the socket took; 0 when it is full. Throws `broken` when the host has closed.
  std::size_t write_some(std::span<const std::uint8_t> bytes);

  wake wait_writable(std::optional<steady_time> deadline, const stop_signal& stop) const;

  /// `ready` means the host closed. What it sends meanwhile is ignored.
  wake wait_closed(std::optional<steady_time> deadline, const stop_signal& stop) const;

  /// Waits until the host has taken everything out of the socket. Throws `broken` when it closes before.
  wake wait_taken(const stop_signal& stop) const;

 private:
  file_descriptor fd_;
};

}  // namespace cellos::guest_sim
