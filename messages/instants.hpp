#pragma once

#include <chrono>

namespace cellos {

/// UTC, nanoseconds since 1970; what events are dated with.
using wall_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Monotonic time of this process; what deadlines are measured with. The same clock CAF's actor clock reads.
using monotonic_time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

}  // namespace cellos
