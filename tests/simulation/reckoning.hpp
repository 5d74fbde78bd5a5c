#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/world.hpp"

namespace cellos::simulation {

/// Holds the log against what the guests sent: every promise that does not hold, as a sentence.
std::vector<std::string> broken_promises(std::string_view log, const std::vector<simulated_run>& runs);

}  // namespace cellos::simulation
