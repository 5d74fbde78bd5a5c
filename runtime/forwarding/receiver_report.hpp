#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "runtime/forwarding/receiver_note.hpp"

namespace cellos {

/// What a delivery's thread reports after each of its turns, for other threads.
class receiver_report {
 public:
  void add(const receiver_status& status) {
    {
      const std::lock_guard guard{mutex_};
      status_ = status;
      ++turns_;
    }
    added_.notify_all();
  }

  receiver_status status() const {
    const std::lock_guard guard{mutex_};
    return status_;
  }

  /// Waits until all up to `end` is delivered; false if `timeout` is over before.
  bool wait_for_complete(segment_position end, std::chrono::nanoseconds timeout) const {
    std::unique_lock guard{mutex_};
    return added_.wait_for(guard, timeout, [&] { return status_.is_complete && status_.committed >= end; });
  }

  /// Whether the thread had a turn within that time.
  bool is_alive(std::chrono::nanoseconds within) const {
    std::unique_lock guard{mutex_};
    return added_.wait_for(guard, within, [this, before = turns_] { return turns_ != before; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable added_;
  receiver_status status_;
  std::uint64_t turns_ = 0;
};

}  // namespace cellos
