#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "tests/simulation/world.hpp"

namespace cellos::simulation {

/// Holds the log against what the guests sent: every promise that does not hold, as a sentence.
std::vector<std::string> broken_promises(std::string_view log, const std::vector<simulated_run>& runs, bool power_lost);

/// What whoever has the public keys finds wrong with a log that was sealed throughout.
std::vector<std::string> broken_seals(std::string_view log, const key_list& keys);

}  // namespace cellos::simulation
