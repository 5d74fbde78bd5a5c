#pragma once

#include "messages/instants.hpp"

namespace cellos {

/// Wall time; its own port because tests decide what time it is.
class wall_clock {
 public:
  wall_clock() = default;
  wall_clock(const wall_clock&) = delete;
  wall_clock& operator=(const wall_clock&) = delete;
  virtual ~wall_clock() = default;

  virtual wall_time now() const = 0;
};

/// Time that nobody sets; its own port because tests let it pass.
class monotonic_clock {
 public:
  monotonic_clock() = default;
  monotonic_clock(const monotonic_clock&) = delete;
  monotonic_clock& operator=(const monotonic_clock&) = delete;
  virtual ~monotonic_clock() = default;

  virtual monotonic_time now() const = 0;
};

}  // namespace cellos
