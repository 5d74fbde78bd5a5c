#pragma once

#include <chrono>
#include <memory>

#include "actors/events.hpp"
#include "actors/ports.hpp"
#include "runtime/os/socket_calls.hpp"
#include "runtime/os/system_clocks.hpp"
#include "runtime/socket_service/connection_observer.hpp"
#include "runtime/socket_service/socket_service_options.hpp"

namespace cellos {

/// What the service dates with, and measures its deadlines with.
struct service_clocks {
  const wall_clock& wall;
  const monotonic_clock& monotonic;
};

class io_thread;
class socket_file_watch;

/// Owns every listening and accepted descriptor, on one thread of its own. No actor holds a socket, so no actor's death
/// loses one. Framing happens here: a chunk holds whole frames only.
///
/// Reading one cell stops when its credit is used up; the guest then blocks on its own side. Accepting never stops.
class socket_service final : public telemetry_sockets {
 public:
  /// `calls`, `clocks` and `observer` must outlive the service and every intake it gave. `observer`: null if nobody
  /// wants to hear of connections.
  socket_service(const socket_service_options& options, operator_events& events,
                 socket_calls& calls = real_socket_calls(),
                 const service_clocks& clocks = {system_wall_clock(), system_monotonic_clock()},
                 connection_observer* observer = nullptr);
  ~socket_service() override;

  binding bind(const cell_specification& cell) override;
  /// Everything but `drain_timeout`, `coalescing`, `guest_descriptors` and `file_watch_interval`, while cells are
  /// served; `chunks_per_cell` counts for cells bound from then on.
  void set_limits(const socket_service_options& options);

  /// Whether the I/O thread comes round within `limit`. Any thread.
  bool answers_within(std::chrono::nanoseconds limit);

 private:
  std::shared_ptr<io_thread> io_;
  std::unique_ptr<socket_file_watch> watch_;
};

}  // namespace cellos
