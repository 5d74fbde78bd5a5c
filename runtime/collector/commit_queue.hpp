#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "messages/duration_counts.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/log_copy.hpp"

namespace cellos {

/// Lines that were appended and wait to be durable: one sync of the file system for all of them. Thread-safe.
///
/// Linux reports a failed write-back once and then takes the pages for clean. So where a sync fails, every copy is cut
/// back to what an earlier one made durable, and all that waited hear so.
class commit_queue {
 public:
  /// `durable`: else the lines were taken back. Called by whoever commits; must not wait.
  using settled_function = std::function<void(bool durable)>;

  explicit commit_queue(collector_store& store) : store_(store) {}

  /// What ends at the copy's end was appended in this generation.
  void add(std::shared_ptr<log_copy> copy, std::uint64_t generation, std::size_t bytes, settled_function settled);

  /// Syncs once, if anything waits, and answers what waited when it began.
  std::error_code commit();

  /// Until something waits for `pause`, or so many bytes of it, or the queue ends. False if it ended.
  bool await(std::chrono::nanoseconds pause, std::size_t most_bytes);
  void end();

  std::uint64_t commits() const;
  std::uint64_t failures() const;
  /// How long each sync took.
  duration_counts::values durations() const { return durations_.read(); }

 private:
  struct entry {
    std::shared_ptr<log_copy> copy;
    std::uint64_t generation;
    settled_function settled;
  };

  std::error_code sync(const std::vector<entry>& waited);

  collector_store& store_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t failures_ = 0;
  duration_counts durations_;
  bool ended_ = false;
};

/// The one thread that commits what waits in a queue. Its end commits what is left.
class committer {
 public:
  /// Nothing waits longer than `pause` and the time of a sync. Defaults: chosen here.
  explicit committer(commit_queue& queue, std::chrono::nanoseconds pause = std::chrono::milliseconds{20},
                     std::size_t most_bytes = std::size_t{4} << 20);
  committer(const committer&) = delete;
  committer& operator=(const committer&) = delete;
  ~committer();

 private:
  commit_queue& queue_;
  std::thread thread_;
};

}  // namespace cellos
