#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "messages/instants.hpp"
#include "messages/node_status.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/receiver_note.hpp"

namespace cellos {

/// As metrics and the status page show a delivery. `name`: one word. Reads the log for its lag.
forwarding_status receiver_shown(std::string name, const std::string& receiver, const receiver_status& status,
                                 committed_log& log);

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

  /// What people are shown is looked up once in a while.
  bool is_due(monotonic_time now) const { return now >= show_at_; }
  void show(forwarding_status what, monotonic_time now) {
    show_at_ = now + show_every;
    const std::lock_guard guard{mutex_};
    shown_ = std::move(what);
  }
  forwarding_status shown() const {
    const std::lock_guard guard{mutex_};
    return shown_;
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
  /// Chosen here.
  static constexpr std::chrono::seconds show_every{1};

  mutable std::mutex mutex_;
  mutable std::condition_variable added_;
  receiver_status status_;
  forwarding_status shown_;
  /// The reporting thread's.
  monotonic_time show_at_{monotonic_time::min()};
  std::uint64_t turns_ = 0;
};

}  // namespace cellos
