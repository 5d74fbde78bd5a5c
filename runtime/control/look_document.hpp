#pragma once

#include <nlohmann/json.hpp>

#include "messages/instants.hpp"
#include "runtime/probes/look_board.hpp"

namespace cellos {

/// Adds to a cell's answer what the host saw of it: `readings`, the last of each probe, and `contradictions`.
void add_look(nlohmann::ordered_json& cell, const cell_look& look, monotonic_time now);

}  // namespace cellos
