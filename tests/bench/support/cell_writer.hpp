#pragma once

#include <cstdint>
#include <vector>

#include "messages/cell_specification.hpp"

namespace cellos::bench {

/// Plays the agents of many cells from one process, where a process each would measure how processes start: connects to
/// every cell and sends it `frames_each` frames of the simulator's honest scenario, encoded before the first is sent,
/// in writes of up to 64 KiB.
void write_to_cells(const std::vector<cell_specification>& cells, std::uint64_t frames_each);

/// The same, but each frame is a write of its own, and each cell sends `pace` of them a second, spread evenly over the
/// cells. Whoever comes late catches up.
void write_at_pace(const std::vector<cell_specification>& cells, std::uint64_t frames_each, double pace);

}  // namespace cellos::bench
