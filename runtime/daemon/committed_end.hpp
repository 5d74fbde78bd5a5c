#pragma once

#include <mutex>

#include "messages/segment_position.hpp"
#include "runtime/evidence/segment_log.hpp"

namespace cellos {

/// How far the evidence log would survive a loss of power: the log's own word while it is open, and its last one once
/// it is closed. For roles that read the log, which may start before it is opened. Any thread.
class committed_end {
 public:
  /// `log` stays until closed().
  void opened(const segment_log& log) {
    const std::lock_guard guard{mutex_};
    log_ = &log;
  }
  /// The log was committed for the last time.
  void closed() {
    const std::lock_guard guard{mutex_};
    if (log_ != nullptr) last_ = log_->committed_position();
    log_ = nullptr;
  }
  /// Before every line while the log was never open.
  segment_position position() const {
    const std::lock_guard guard{mutex_};
    return log_ != nullptr ? log_->committed_position() : last_;
  }

 private:
  mutable std::mutex mutex_;
  const segment_log* log_ = nullptr;
  segment_position last_;
};

}  // namespace cellos
