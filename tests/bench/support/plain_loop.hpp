#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "messages/cell_specification.hpp"

namespace cellos::bench {

/// What the daemon is measured against: what has to be done with a frame, on one thread, and nothing else. Reads up to
/// 64 KiB, cuts frames, decodes and renders them with the daemon's own functions, and writes whole buffers to `out`.
///
/// Says `ready` on stderr once every socket is bound. Returns after SIGTERM, when every connection has ended and the
/// last line is written. `pause`: after each turn, so that reads of that time share the next one.
void run_plain_loop(const std::vector<cell_specification>& cells, const std::filesystem::path& out,
                    std::chrono::microseconds pause);

}  // namespace cellos::bench
