#pragma once

#include "messages/clock.hpp"

namespace cellos {

/// The operating system's clocks. Thread-safe, never destroyed.
const wall_clock& system_wall_clock();
const monotonic_clock& system_monotonic_clock();

}  // namespace cellos
