#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "runtime/forwarding/evidence_source.hpp"
#include "runtime/forwarding/receiver_events.hpp"
#include "runtime/forwarding/receiver_report.hpp"
#include "runtime/jetstream/jetstream_settings.hpp"
#include "runtime/jetstream/stream_delivery.hpp"
#include "runtime/jetstream/stream_link.hpp"

namespace cellos {

struct jetstream_forwarder_settings {
  std::string host_id;
  /// The evidence directory.
  std::filesystem::path dir;
  jetstream_settings stream;
  /// How often the log is looked at while there is nothing to do. Default: chosen here.
  std::chrono::milliseconds look_every{20};
  /// How often the mark is written. Default: chosen here.
  std::chrono::milliseconds mark_every{1000};
};

/// What a forwarder has besides its log. All of it must outlive the forwarder.
struct receiver_surroundings {
  receiver_events& events;
  /// segment_log::committed_position(); any thread.
  std::function<segment_position()> committed;
};

/// Delivers one evidence directory to a stream until it is stopped. Its thread waits for nothing but the disk.
class jetstream_forwarder {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<jetstream_forwarder> forwarder;
    /// A sentence for a person.
    std::string refusal;
  };

  /// Reads the log's id, or makes it, and begins.
  static opening open(const jetstream_forwarder_settings& settings, receiver_surroundings surroundings);
  jetstream_forwarder(const jetstream_forwarder&) = delete;
  jetstream_forwarder& operator=(const jetstream_forwarder&) = delete;
  /// stop()
  ~jetstream_forwarder();

  /// Waits until all that is committed is in the stream; false if `timeout` is over before.
  bool drain(std::chrono::milliseconds timeout) const;
  receiver_status status() const { return report_.status(); }
  /// For people; at most a second old.
  forwarding_status shown() const { return report_.shown(); }
  /// Whether its thread did anything within that time.
  bool is_alive(std::chrono::nanoseconds within) const { return report_.is_alive(within); }
  /// Waits for servers for a few seconds at most. Once.
  void stop();

  /// What operators know the stream by.
  const std::string& receiver() const { return receiver_; }

 private:
  jetstream_forwarder(const jetstream_forwarder_settings& settings, receiver_surroundings surroundings,
                      const node_log_id& log, std::uint64_t seed);

  void run();
  void take_events(std::chrono::milliseconds at_most);
  void carry_out();
  void report(monotonic_time now);
  void write_mark(monotonic_time now, bool is_last);

  const jetstream_forwarder_settings settings_;
  const receiver_surroundings surroundings_;
  const std::string receiver_;
  /// What the mark is of.
  const std::string stream_;
  evidence_source source_;
  std::optional<stream_hint> marked_;
  stream_delivery delivery_;
  std::unique_ptr<stream_link> link_;
  monotonic_time mark_at_{};

  receiver_report report_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cellos
