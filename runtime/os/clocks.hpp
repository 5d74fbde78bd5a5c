#pragma once

#include <chrono>

#include "messages/instants.hpp"

namespace cellos {

/// What time the operating system has.
inline wall_time system_wall_time() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

}  // namespace cellos
