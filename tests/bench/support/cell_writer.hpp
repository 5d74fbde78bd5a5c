#pragma once

#include <cstdint>
#include <vector>

#include "messages/cell_specification.hpp"

namespace cellos::bench {

/// Plays the agents of many cells from one process, where a process each would measure how processes start: connects to
/// every cell and sends it `frames_each` frames of the simulator's honest scenario, encoded before the first is sent,
/// in writes of up to 64 KiB.
void write_to_cells(const std::vector<cell_specification>& cells, std::uint64_t frames_each);

}  // namespace cellos::bench
