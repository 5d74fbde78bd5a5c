#pragma once

#include <caf/actor_system.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/forwarding/evidence_source.hpp"
#include "runtime/forwarding/forwarder.hpp"

namespace cellos {

struct forwarding_service_settings {
  std::string host_id;
  /// The evidence directory.
  std::filesystem::path dir;
  /// In the order of preference, as an operator knows them.
  std::vector<std::string> collectors;
  /// Of messages with lines; 0: no limit.
  std::uint64_t bytes_per_second = 0;
};

/// What a forwarding host has besides its log. All of it must outlive the service.
struct forwarding_surroundings {
  caf::actor_system& system;
  collector_connector& connector;
  forwarding_events& events;
  /// segment_log::committed_position(); any thread.
  std::function<segment_position()> committed;
  /// What is before it need not be kept for this forwarder: segment_log::retain_from(). Any thread.
  std::function<void(segment_position)> delivered;
  /// The cells of this host, for collectors to show. Any thread; may be empty.
  std::function<cell_figures()> cells{};
};

/// Forwards one evidence directory to a list of collectors, until it is stopped: keeps a FORWARDER alive.
class forwarding_service {
 public:
  struct opening {
    /// Null when refused.
    std::unique_ptr<forwarding_service> service;
    /// A sentence for a person.
    std::string refusal;
  };

  /// Reads the log's id, or makes it, and begins.
  static opening open(const forwarding_service_settings& settings, forwarding_surroundings surroundings);
  forwarding_service(const forwarding_service&) = delete;
  forwarding_service& operator=(const forwarding_service&) = delete;
  /// stop()
  ~forwarding_service();

  /// Waits until all that is committed is delivered; false if `timeout` is over before.
  bool drain(std::chrono::milliseconds timeout);
  /// Nothing where the FORWARDER does not answer in time.
  std::optional<forwarder_status> status(std::chrono::milliseconds timeout) const;
  void stop();

  /// As it last showed itself, a second ago at most while it is well. Asks no actor; any thread.
  forwarding_status shown() const;

  /// The one there is at the moment.
  forwarder_actor forwarder() const;
  /// FORWARDERs that a bug ended; each was replaced a second later.
  std::uint64_t replaced() const;

 private:
  forwarding_service(forwarder_settings settings, forwarding_surroundings surroundings);

  void spawn(std::chrono::milliseconds begin_after);
  void on_end();
  void show(forwarding_status now);
  const forwarding_surroundings surroundings_;
  forwarder_settings settings_;
  evidence_source source_;
  forwarder_environment environment_;
  mutable std::mutex mutex_;
  forwarder_actor forwarder_;
  std::condition_variable ended_;
  std::size_t alive_ = 0;
  std::uint64_t replaced_ = 0;
  forwarding_status shown_;
  /// As the FORWARDERs before the present one left it.
  forwarding_status before_;
  bool stopping_ = false;
};

}  // namespace cellos
