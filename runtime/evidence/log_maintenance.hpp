#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/evidence/retention.hpp"

namespace cellos {

/// The thread that removes a log's oldest segments before their room is needed, and looks once a second whether its
/// files are where they were.
class log_maintenance {
 public:
  /// Returns when the log has left its removal to the thread.
  log_maintenance(retention::surroundings around, retention_state state, journal_mac_ptr mac);
  /// Nothing is removed any more.
  ~log_maintenance();
  log_maintenance(const log_maintenance&) = delete;
  log_maintenance& operator=(const log_maintenance&) = delete;

  void set_mac(journal_mac_ptr mac);

 private:
  void run();
  void wake();

  segment_log& log_;
  retention retention_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool ready_ = false;
  bool woken_ = false;
  bool stopping_ = false;
  journal_mac_ptr next_mac_;
  std::thread thread_;
};

}  // namespace cellos
