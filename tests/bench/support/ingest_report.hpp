#pragma once

#include <string>
#include <vector>

#include "tests/bench/support/measurement.hpp"

namespace cellos::bench {

/// What one receiver came to with one number of cells, a sample a round.
struct series {
  receiver who;
  std::vector<sample> rounds;
};

/// The receivers that shared rounds; the first is the limit the others are held against.
struct comparison {
  load what;
  std::vector<series> receivers;
};

/// As Markdown; medians with (least..most). A ratio is taken within a round, where both had the same weather.
std::string table_of(const std::vector<comparison>& comparisons);

/// Cores, processor, kernel, load average and date, in one line.
std::string this_machine();

}  // namespace cellos::bench
