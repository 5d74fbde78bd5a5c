#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "actors/activity.hpp"
#include "actors/events.hpp"

namespace cellos {

/// A thread that looks for handlers that do not come back, and says so once for each. It changes nothing: a thread
/// that hangs cannot be ended without ending the process.
class watchdog {
 public:
  struct options {
    /// A handler does microseconds of work; a disk that does not answer can hold a SINK for seconds. Chosen here.
    std::chrono::nanoseconds timeout = std::chrono::seconds{5};
    std::chrono::nanoseconds interval = std::chrono::seconds{1};
  };

  watchdog(const activity_registry& activities, operator_events& events, options settings);
  ~watchdog();

  /// Handlers that have not come back, as of the last look.
  std::size_t hung() const { return hung_count_; }

 private:
  void run();
  void look(monotonic_time now);

  const activity_registry& activities_;
  operator_events& events_;
  const options settings_;
  /// Reported already, while they last.
  std::set<activity_ptr> hung_;
  std::atomic<std::size_t> hung_count_{0};
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cellos
