#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "messages/instants.hpp"

namespace cellos {

/// What distinguishes chains of the same run, or of the same host: the time they began, in milliseconds, and never one
/// twice, whatever the clock does. Thread-safe.
class chain_epochs {
 public:
  /// `highest`: used in this evidence directory so far.
  explicit chain_epochs(std::uint64_t highest = 0) : highest_(highest) {}

  std::uint64_t next(wall_time now) {
    const auto since_1970 = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(since_1970, 0));
    std::uint64_t highest = highest_;
    while (!highest_.compare_exchange_weak(highest, std::max(wanted, highest + 1))) {}
    return std::max(wanted, highest + 1);
  }

 private:
  std::atomic<std::uint64_t> highest_;
};

}  // namespace cellos
