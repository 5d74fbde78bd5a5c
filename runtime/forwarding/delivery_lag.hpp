#pragma once

#include <cstdint>

#include "messages/instants.hpp"
#include "messages/node_status.hpp"
#include "messages/segment_position.hpp"
#include "runtime/forwarding/committed_log.hpp"

namespace cellos {

/// How far a delivery is.
struct delivery_progress {
  /// Durable at the other end.
  segment_position delivered;
  /// What is to be sent next follows this.
  segment_position sent;
  std::uint64_t lines_in_flight = 0;
};

/// What the committed log has and the other end is not known to have. Looks at the oldest 64 KiB of it, and counts the
/// lines of no more than that: what lies behind them and was not sent is taken to have lines as long as these. The age
/// is by the date of the oldest line itself, so that it outlives this process; zero where that has none.
forwarding_lag lag_of(committed_log& log, const delivery_progress& progress, wall_time now);

}  // namespace cellos
