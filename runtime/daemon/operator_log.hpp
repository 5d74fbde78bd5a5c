#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "actors/events.hpp"
#include "runtime/configuration/configuration.hpp"
#include "runtime/daemon/line_queue.hpp"

namespace cellos {

/// The daemon's own log on standard error: whoever logs never waits for whoever reads. Thread-safe.
class operator_log {
 public:
  explicit operator_log(const log_configuration& settings, int descriptor = STDERR_FILENO,
                        line_queue::options queue = {});
  /// Gives whoever reads a moment to take what waits.
  ~operator_log();

  operator_events& events() { return events_; }
  /// Why the daemon cannot start: in the text form a sentence of its own, in JSON an event like any other.
  void refuse_start(const std::string& step, const std::string& cause, const std::string& sentence);
  /// The same where there is no log yet, at once.
  static void refuse_start_unqueued(const log_configuration& settings, const std::string& step,
                                    const std::string& cause, const std::string& sentence);
  /// Lines that nobody took in time.
  std::uint64_t lines_lost() const { return queue_.lost(); }

 private:
  const log_format format_;
  line_queue queue_;
  std::shared_ptr<spdlog::logger> logger_;
  operator_events events_;
};

}  // namespace cellos
