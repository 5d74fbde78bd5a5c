#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace cellos {

/// How often the events that metrics count were reported. Each is counted where it is reported. Thread-safe.
class event_counts {
 public:
  std::atomic<std::uint64_t> agents_silenced{0};
  std::atomic<std::uint64_t> agents_resumed{0};
  std::atomic<std::uint64_t> cells_failed{0};
  std::atomic<std::uint64_t> chunks_quarantined{0};
  std::atomic<std::uint64_t> attributions_refused{0};
  std::atomic<std::uint64_t> actors_hung{0};
  std::atomic<std::uint64_t> reloads_applied{0};
  std::atomic<std::uint64_t> reloads_refused{0};
  std::atomic<std::uint64_t> event_streams_dropped{0};
  std::atomic<std::uint64_t> signals_ignored{0};
  std::atomic<std::uint64_t> sockets_lost{0};
  std::atomic<std::uint64_t> sockets_restored{0};
  /// Changes of state, not errors.
  std::atomic<std::uint64_t> probes_failed{0};
  /// More than one: it had to be started again.
  std::atomic<std::uint64_t> privileged_readers_started{0};
  std::atomic<std::uint64_t> privileged_readers_failed{0};
  std::atomic<std::uint64_t> declarations_unwitnessed{0};
  std::atomic<std::uint64_t> undeclared_activities{0};

  std::atomic<std::uint64_t> hosts_silenced{0};
  std::atomic<std::uint64_t> hosts_resumed{0};
  /// At either end.
  std::atomic<std::uint64_t> histories_forked{0};
  std::atomic<std::uint64_t> collectors_lost{0};
  std::atomic<std::uint64_t> receivers_lost{0};
  std::atomic<std::uint64_t> lines_refused{0};
  std::atomic<std::uint64_t> lines_undelivered{0};
  std::atomic<std::uint64_t> lines_removed_early{0};
  std::atomic<std::uint64_t> lines_skipped{0};
  std::atomic<std::uint64_t> deliveries_stopped{0};

  using by_role = std::map<std::string, std::uint64_t, std::less<>>;

  void count_actor_failure(std::string_view role) {
    const std::lock_guard lock{mutex_};
    ++actor_failures_[std::string{role}];
  }
  by_role actor_failures() const {
    const std::lock_guard lock{mutex_};
    return actor_failures_;
  }

 private:
  mutable std::mutex mutex_;
  by_role actor_failures_;
};

}  // namespace cellos
