#pragma once

#include <cstdint>
#include <string_view>

#include "messages/instants.hpp"

namespace cellos {

/// What a cell declared and its host read do not agree, as it is put on record. The texts are the names that
/// docs/probes.md explains; they live as long as the process.
struct recorded_contradiction {
  /// A declaration that nothing confirms, rather than activity that nothing declared.
  bool of_declaration = false;
  std::string_view kind;
  std::string_view confidence;
  /// Number of the window since the epoch of wall time, and how long windows are.
  std::int64_t window = 0;
  std::uint64_t window_ns = 0;
  /// From the window's first reading to the next window's.
  wall_time from{};
  wall_time to{};
  /// Sequences of those readings in the chain.
  std::uint64_t first_reading = 0;
  std::uint64_t last_reading = 0;
  std::uint64_t counted = 0;
  std::uint64_t declared = 0;
  std::uint64_t background = 0;
  std::uint64_t threshold = 0;

  bool operator==(const recorded_contradiction&) const = default;
};

}  // namespace cellos
