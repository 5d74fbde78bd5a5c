#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "messages/instants.hpp"

namespace cellos {

/// How often parts may be replaced before the whole counts as failed: N in T, as OTP's supervisors have it.
struct restart_limits {
  /// A part that crashes on every chunk is replaced within microseconds: generous enough for bursts of faults, small
  /// enough to end a loop at once. Chosen here.
  std::size_t restarts = 100;
  std::chrono::nanoseconds within = std::chrono::seconds{10};
  /// Pause before a part that crashed too often is tried once more, where the cell is to be kept. Chosen here.
  std::chrono::nanoseconds pause = std::chrono::seconds{5};
};

/// Counts restarts in a sliding window. Pure: time comes in.
class restart_intensity {
 public:
  explicit restart_intensity(const restart_limits& limits) : limits_(limits) {}

  /// Records a restart at `now`; false if it is one too many.
  bool permit(monotonic_time now) {
    while (!recent_.empty() && now - recent_.front() > limits_.within) recent_.pop_front();
    if (recent_.size() >= limits_.restarts) return false;
    recent_.push_back(now);
    return true;
  }

  /// After a pause: counting begins anew.
  void forgive() { recent_.clear(); }

 private:
  restart_limits limits_;
  std::deque<monotonic_time> recent_;
};

}  // namespace cellos
