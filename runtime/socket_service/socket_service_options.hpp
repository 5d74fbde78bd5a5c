#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace cellos {

/// What one guest, and all of them together, may hold of the host's memory and descriptors.
struct socket_service_options {
  static constexpr std::size_t most_read_bytes = std::size_t{64} * 1024;

  /// Read, not yet appended chunks of one cell: its credit and its replay buffer. Default: measured, more gains
  /// nothing.
  std::size_t chunks_per_cell = 8;
  /// Bytes of such chunks of all cells together; at the limit nobody is read from. Default: chosen here.
  std::uint64_t byte_budget = std::uint64_t{64} << 20;
  /// Open connections of one cell; one more is closed at once. Firecracker opens one; the rest is for reconnects that
  /// overlap.
  std::size_t connections_per_cell = 8;
  /// How long a connection may keep half a frame before it is closed and the frame torn. Default: chosen here, the
  /// silence window's.
  std::chrono::nanoseconds half_frame_timeout = std::chrono::seconds{10};
  /// How long a cell that ends waits for the credit to read what its guests have written. Chosen here: leaves the CELL
  /// SUPERVISOR, who waits 20 s, time for decoding and the log.
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds{15};
  /// Bytes of one read at most, and so of one chunk, besides a frame that began earlier; up to `most_read_bytes`.
  std::size_t read_bytes = most_read_bytes;
  /// While reads are small, how long the next ones may wait to share a wake-up; three times as long where many do.
  /// Chosen here; bounds the added latency.
  std::chrono::nanoseconds coalescing = std::chrono::milliseconds{1};
  /// Descriptors for all cells together: the sockets they listen on and their connections. Every cell has an equal
  /// share.
  std::size_t guest_descriptors = std::numeric_limits<std::size_t>::max();
  /// How often it is looked whether the sockets' files are still there.
  std::chrono::nanoseconds file_watch_interval = std::chrono::seconds{3};

  bool operator==(const socket_service_options&) const = default;
};

}  // namespace cellos
