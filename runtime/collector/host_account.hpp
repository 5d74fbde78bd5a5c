#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "messages/instants.hpp"
#include "messages/segment_position.hpp"
#include "runtime/collector/byte_quota.hpp"

namespace cellos {

/// What a collector counts of one host, and what of it one connection leaves to the next. Shared by the supervisor and
/// the host's sessions; thread-safe.
class host_account {
 public:
  host_account(std::uint64_t bytes_per_second, monotonic_time now) : last_heard(now), quota_(bytes_per_second) {}

  /// When the host last said anything.
  std::atomic<monotonic_time> last_heard;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> batches = 0;
  std::atomic<std::uint64_t> refusals = 0;
  /// Batches that were not taken for now: over the quota, or no room on the disk.
  std::atomic<std::uint64_t> held_back = 0;

  struct positions {
    /// Durable in the collector's copy.
    segment_position kept;
    /// Of the host's log, as it says.
    segment_position committed;
  };
  positions reached() const {
    const std::lock_guard guard{mutex_};
    return reached_;
  }
  void set_kept(segment_position at) {
    const std::lock_guard guard{mutex_};
    reached_.kept = at;
  }
  void set_committed(segment_position at) {
    const std::lock_guard guard{mutex_};
    reached_.committed = at;
  }

  /// Calls with the quota that all of the host's sessions share.
  template <class Use>
  auto with_quota(Use use) {
    const std::lock_guard guard{mutex_};
    return use(quota_);
  }

 private:
  mutable std::mutex mutex_;
  byte_quota quota_;
  positions reached_;
};
using host_account_ptr = std::shared_ptr<host_account>;

/// Whether a host is heard. Each silence is reported once, and once that it is over.
class host_presence {
 public:
  enum class change : std::uint8_t { none, silenced, resumed };

  change look(monotonic_time last_heard, monotonic_time now, std::chrono::nanoseconds window) {
    const bool silent = now - last_heard > window;
    if (silent == silent_) return change::none;
    silent_ = silent;
    return silent ? change::silenced : change::resumed;
  }
  /// Its silence was reported by a process before this one.
  void recall_silence() { silent_ = true; }
  bool is_silent() const { return silent_; }

 private:
  bool silent_ = false;
};

}  // namespace cellos
