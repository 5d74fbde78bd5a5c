#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/simulation.hpp"

namespace cellos::simulation {

struct scripted_outcome {
  /// Broken promises, each a sentence; empty if all were kept.
  std::vector<std::string> violations;
  /// As it was left.
  std::string log;
  /// Windows that were compared with a contradiction, as the truth has it.
  std::uint64_t contradictions = 0;
  std::uint64_t readings = 0;
};

/// Minutes of a daemon with its probes and cells of which it is known what they do: one that is honest, one that
/// declares what it does not do, one that does what it does not declare, one whose agent ends, one whose VMM does. The
/// log has each difference exactly once for each window it is of, and none for an honest cell; and whoever compares it
/// once more comes to the same. Who runs next is the seed's to decide, and whether the SINK or the PROBE SCHEDULER die.
///
/// `sealed`: with the key of simulated hosts, which makes every line dearer.
scripted_outcome simulate_scripted_cells(std::uint64_t seed, planted_bug bug = planted_bug::none, bool sealed = false);

}  // namespace cellos::simulation
