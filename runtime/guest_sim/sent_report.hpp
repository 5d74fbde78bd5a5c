#pragma once

#include <chrono>

#include <nlohmann/json.hpp>

#include "runtime/guest_sim/simulated_guest.hpp"
#include "runtime/guest_sim/tally.hpp"

namespace cellos::guest_sim {

/// What a test compares the host's log with. Keys are stable.
nlohmann::ordered_json sent_report(const simulation_options& options, const tally& sent,
                                   std::chrono::duration<double> elapsed);

}  // namespace cellos::guest_sim
