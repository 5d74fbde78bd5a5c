#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "runtime/forwarding/evidence_source.hpp"
#include "runtime/forwarding/receiver_events.hpp"
#include "runtime/forwarding/receiver_report.hpp"
#include "runtime/http_forwarding/http_delivery.hpp"
#include "runtime/http_forwarding/http_poster.hpp"
#include "runtime/http_forwarding/http_settings.hpp"

namespace cellos {

struct http_forwarder_settings {
  /// The evidence directory.
  std::filesystem::path dir;
  http_settings receiver;
  /// How often the log is looked at while there is nothing to do. Default: chosen here.
  std::chrono::milliseconds look_every{20};
  /// How often the cursor is written, which is a flush to the disk. Default: chosen here.
  std::chrono::milliseconds mark_every{1000};
};

/// Delivers one evidence directory to an HTTP receiver until it is stopped. Its thread waits for nothing but the disk.
class http_forwarder {
 public:
  /// `events` must outlive it. `committed`: segment_log::committed_position(); any thread.
  http_forwarder(const http_forwarder_settings& settings, receiver_events& events,
                 std::function<segment_position()> committed);
  http_forwarder(const http_forwarder&) = delete;
  http_forwarder& operator=(const http_forwarder&) = delete;
  /// stop()
  ~http_forwarder();

  /// Waits until all that is committed is delivered; false if `timeout` is over before.
  bool drain(std::chrono::milliseconds timeout) const;
  receiver_status status() const { return report_.status(); }
  /// For people; at most a second old.
  forwarding_status shown() const { return report_.shown(); }
  /// Whether its thread did anything within that time.
  bool is_alive(std::chrono::nanoseconds within) const { return report_.is_alive(within); }
  /// A delivery that was stopped at a line tries it again.
  void go_on() { goes_on_ = true; }
  /// Waits for the receiver for a few seconds at most. Once.
  void stop();

 private:
  void run();
  void report(monotonic_time now);
  void write_mark(monotonic_time now, bool is_last);

  const http_forwarder_settings settings_;
  receiver_events& events_;
  const std::function<segment_position()> committed_;
  evidence_source source_;
  std::optional<http_cursor> marked_;
  http_delivery delivery_;
  std::unique_ptr<http_poster> poster_;
  monotonic_time mark_at_{};

  receiver_report report_;
  std::atomic<bool> goes_on_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cellos
