#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/probes/probe.hpp"

namespace cellos {

/// Reads a source that says something of many cells at most once a turn: one dump of all links, not one a cell. An
/// error is shared as well. Thread-safe; who comes while it is read waits for that.
template <class Snapshot>
class shared_source {
 public:
  using reader = std::function<probe_result<Snapshot>(monotonic_time deadline)>;
  using snapshot_ptr = std::shared_ptr<const probe_result<Snapshot>>;

  explicit shared_source(reader read) : read_(std::move(read)) {}

  /// Never null.
  snapshot_ptr of(const probe_context& context) {
    const std::lock_guard hold{mutex_};
    if (!last_ || turn_ != context.turn) {
      last_ = std::make_shared<const probe_result<Snapshot>>(read_(context.deadline));
      turn_ = context.turn;
    }
    return last_;
  }

 private:
  reader read_;
  std::mutex mutex_;
  std::uint64_t turn_ = 0;
  snapshot_ptr last_;
};

}  // namespace cellos
