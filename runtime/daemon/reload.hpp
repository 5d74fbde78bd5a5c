#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/control/reload_report.hpp"

namespace cellos {

/// Keys that `read` changes and that only count from the next start on.
std::vector<std::string> restart_needed_for(const configuration& running, const configuration& read);

/// Whoever asked for a reload and waits for its outcome. Thread-safe.
class reload_queue {
 public:
  void add(reload_reply asked) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(asked));
  }
  std::vector<reload_reply> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<reload_reply> waiting_;
};

}  // namespace cellos
