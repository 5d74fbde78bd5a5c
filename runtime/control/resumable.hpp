#pragma once

#include <microhttpd.h>

#include <mutex>
#include <utility>

namespace cellos {

/// Ends the waiting of one connection, at most once for each time it waits, and never after it is gone.
class resumable {
 public:
  explicit resumable(MHD_Connection* connection) : connection_(connection) {}

  /// On the server's thread.
  void suspend() {
    const std::lock_guard lock{mutex_};
    if (connection_ == nullptr || closing_) return;
    MHD_suspend_connection(connection_);
    suspended_ = true;
    // Only what was suspended is looked at again.
    if (std::exchange(early_, false)) resume_locked();
  }

  /// Any thread. One that comes before the suspension ends it at once.
  void resume() {
    const std::lock_guard lock{mutex_};
    if (connection_ == nullptr) return;
    if (suspended_) {
      resume_locked();
    } else {
      early_ = true;
    }
  }

  /// Resumes it for good.
  void close() {
    const std::lock_guard lock{mutex_};
    closing_ = true;
    if (connection_ != nullptr && suspended_) resume_locked();
  }

  bool closing() const {
    const std::lock_guard lock{mutex_};
    return closing_;
  }

  void forget_connection() {
    const std::lock_guard lock{mutex_};
    connection_ = nullptr;
  }

 private:
  void resume_locked() {
    suspended_ = false;
    MHD_resume_connection(connection_);
  }

  mutable std::mutex mutex_;
  MHD_Connection* connection_;
  bool suspended_ = false;
  /// Resumed before it was suspended.
  bool early_ = false;
  bool closing_ = false;
};

}  // namespace cellos
