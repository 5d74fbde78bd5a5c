#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "messages/host_status.hpp"
#include "messages/instants.hpp"
#include "messages/node_message.hpp"
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
  std::atomic<std::uint64_t> lines = 0;
  std::atomic<std::uint64_t> batches = 0;
  std::atomic<std::uint64_t> refusals = 0;
  /// Batches that were not taken for now, and why: over the quota, no room on the disk, too many unanswered.
  std::atomic<std::uint64_t> over_quota = 0;
  std::atomic<std::uint64_t> not_stored = 0;
  std::atomic<std::uint64_t> crowded = 0;
  /// Copies of its present log beside the first.
  std::atomic<std::uint32_t> forks = 0;
  /// As the supervisor knows it.
  std::atomic<bool> is_connected = false;
  std::atomic<bool> is_silent = false;

  using positions = host_positions;
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
    said_.reset();
  }
  void set_alive(const node_alive& alive, monotonic_time now) {
    const std::lock_guard guard{mutex_};
    reached_.committed = alive.committed;
    said_ = alive;
    said_at_ = now;
  }

  host_status status(std::string host_id, monotonic_time now) const {
    host_status out;
    out.host_id = std::move(host_id);
    out.is_connected = is_connected;
    out.is_silent = is_silent;
    out.unheard_for = std::max(now - last_heard.load(), monotonic_time::duration{0});
    out.bytes = bytes;
    out.lines = lines;
    out.held_back = over_quota + not_stored + crowded;
    out.forks = forks;
    const std::lock_guard guard{mutex_};
    out.reached = reached_;
    out.lag = lag_locked(now);
    if (said_ && said_->cells && said_->silenced_cells) out.cells = cell_figures{*said_->cells, *said_->silenced_cells};
    return out;
  }

  /// Calls with the quota that all of the host's sessions share.
  template <class Use>
  auto with_quota(Use use) {
    const std::lock_guard guard{mutex_};
    return use(quota_);
  }

 private:
  /// By what the host said last; what was kept since counts.
  std::optional<forwarding_lag> lag_locked(monotonic_time now) const {
    if (reached_.committed.segment == 0) return std::nullopt;
    if (reached_.kept >= reached_.committed) return forwarding_lag{};
    if (!said_ || !said_->lag_lines || !said_->lag_bytes || !said_->lag_ms) return std::nullopt;
    const std::chrono::milliseconds age{
        static_cast<std::int64_t>(std::min<std::uint64_t>(*said_->lag_ms, longest_lag))};
    return forwarding_lag{*said_->lag_lines, *said_->lag_bytes, age + (now - said_at_)};
  }

  /// Milliseconds that a host may say; a hundred years.
  static constexpr std::uint64_t longest_lag = 3'155'760'000'000;

  mutable std::mutex mutex_;
  byte_quota quota_;
  positions reached_;
  /// The host's last word on itself, and when it came; nothing since it greeted.
  std::optional<node_alive> said_;
  monotonic_time said_at_;
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
