#include "runtime/os/system_clocks.hpp"

namespace cellos {

namespace {

class posix_wall_clock final : public wall_clock {
 public:
  wall_time now() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
};

class posix_monotonic_clock final : public monotonic_clock {
 public:
  monotonic_time now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const wall_clock& system_wall_clock() {
  static const auto* const instance = new posix_wall_clock;
  return *instance;
}

const monotonic_clock& system_monotonic_clock() {
  static const auto* const instance = new posix_monotonic_clock;
  return *instance;
}

}  // namespace cellos
