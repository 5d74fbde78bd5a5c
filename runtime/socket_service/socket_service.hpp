#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

#include "actors/events.hpp"
#include "actors/ports.hpp"
#include "runtime/os/socket_calls.hpp"

namespace cellos {

struct socket_service_options {
  /// Unacknowledged chunks a cell may hold (64 KiB each at most). 8: measured, more does not help.
  std::size_t chunks_per_cell = 8;
  /// Bytes in unacknowledged chunks of all cells together.
  std::size_t byte_budget = 32 * 1024 * 1024;
  /// Firecracker opens one; the rest is for reconnects that overlap. One more is closed at once.
  std::size_t connections_per_cell = 8;
  /// Bytes of one read at most, and so of one chunk, besides a frame that began earlier; up to 64 KiB.
  std::size_t read_bytes = 64 * 1024;
  /// A frame that is not whole this long after its first byte is torn.
  std::chrono::nanoseconds half_frame_timeout = std::chrono::seconds{10};
  /// While reads are small, how long the next ones may wait to share a wake-up. Chosen here; bounds the added latency.
  std::chrono::nanoseconds coalescing = std::chrono::milliseconds{1};
  /// Descriptors for all cells together: the sockets they listen on and their connections. Every cell has an equal
  /// share.
  std::size_t guest_descriptors = std::numeric_limits<std::size_t>::max();
  /// How often it is looked whether the sockets' files are still there.
  std::chrono::nanoseconds file_watch_interval = std::chrono::seconds{3};
};

class io_thread;
class socket_file_watch;

/// Owns every listening and accepted descriptor, on one thread of its own. No actor holds a socket, so no actor's death
/// loses one. Framing happens here: a chunk holds whole frames only.
///
/// Reading one cell stops when its credit is used up; the guest then blocks on its own side. Accepting never stops.
class socket_service final : public telemetry_sockets {
 public:
  /// `calls` must outlive the service and every intake it gave.
  socket_service(const socket_service_options& options, operator_events& events,
                 socket_calls& calls = real_socket_calls());
  ~socket_service() override;

  binding bind(const cell_specification& cell) override;
  /// Everything but `coalescing`, `guest_descriptors` and `file_watch_interval`, while cells are served;
  /// `chunks_per_cell` counts for cells bound from then on.
  void set_limits(const socket_service_options& options);

  /// Whether the I/O thread comes round within `limit`. Any thread.
  bool answers_within(std::chrono::nanoseconds limit);

 private:
  std::shared_ptr<io_thread> io_;
  std::unique_ptr<socket_file_watch> watch_;
};

}  // namespace cellos
