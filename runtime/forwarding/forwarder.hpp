#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node_interfaces.hpp"
#include "messages/node_status.hpp"
#include "runtime/forwarding/collector_connector.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/delivery.hpp"
#include "runtime/forwarding/forwarding_events.hpp"
#include "runtime/forwarding/pack_lines.hpp"

namespace cellos {

/// From the connector's thread.
struct connection_outcome {
  std::uint64_t session = 0;
  caf::strong_actor_ptr to;
  std::string failure;
};

/// Asks for everything that is committed to be delivered, until then at most.
struct drain_request {
  monotonic_time deadline;
};

struct forwarder_status {
  delivery_status delivery;
  /// All that is committed is durable at a collector.
  bool is_complete = false;
};

/// FORWARDER: reads the evidence log from one cursor on and delivers it in order. Collectors have a handle to it, but
/// no type that it takes besides a ping.
using forwarder_actor = pinged_actor::extend<
    // From the connector.
    caf::reacts_to<connection_outcome>,
    // Own timer: what is due, and what was committed meanwhile.
    caf::reacts_to<tick_atom>,
    // Answers once all is delivered, or the deadline has come.
    caf::replies_to<drain_request>::with<forwarder_status>, caf::replies_to<status_atom>::with<forwarder_status>>;

struct forwarder_settings {
  /// `collectors` is taken from the names below.
  delivery_settings delivery;
  /// In the order of preference; what the connector's places mean.
  std::vector<std::string> collectors;
  /// Where the mark is kept; see forwarding_files.
  std::filesystem::path dir;
  /// Until then nothing is done.
  std::chrono::milliseconds begin_after{0};
  /// How often the log is looked at while there is nothing to do. Default: chosen here.
  std::chrono::milliseconds look_every{20};
  /// How often the mark is written. Default: chosen here.
  std::chrono::milliseconds mark_every{1000};
  /// How often the lag is looked up. Default: chosen here.
  std::chrono::milliseconds show_every{1000};
};

/// What a forwarder uses. All of it must outlive the actor.
struct forwarder_environment {
  committed_log& log;
  collector_connector& connector;
  forwarding_events& events;
  /// What is before the position need not be kept for this forwarder any more. May be empty.
  std::function<void(segment_position delivered)> delivered;
  /// What others may see of it; at least once a second, and whenever a collector is reached or lost. May be empty.
  std::function<void(const forwarding_status&)> show{};
  /// The cells of this host, for collectors to show. May be empty.
  std::function<cell_figures()> cells{};
};

struct forwarder_state {
  static constexpr const char* name = "host.forwarder";
  forwarder_state() = default;

  using promise = caf::typed_response_promise<forwarder_status>;
  struct waiting_drain {
    monotonic_time deadline;
    promise to;
  };

  forwarder_settings settings;
  const forwarder_environment* environment = nullptr;
  std::unique_ptr<delivery> way;
  std::unique_ptr<line_packer> packer;
  /// Open connections by their number.
  std::map<std::uint64_t, caf::strong_actor_ptr> sessions;
  /// Of the connection that failed last.
  std::string cause;
  std::vector<waiting_drain> drains;
  std::optional<delivery_hint> marked;
  monotonic_time mark_at{};
  monotonic_time show_at{};
  /// When the one timer is due.
  monotonic_time armed_for{monotonic_time::max()};
};

forwarder_actor::behavior_type make_forwarder(forwarder_actor::stateful_pointer<forwarder_state> self,
                                              forwarder_settings settings, const forwarder_environment& environment);

}  // namespace cellos

// Local messages only.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::connection_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::drain_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::forwarder_status)
