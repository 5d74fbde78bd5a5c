#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/duration_counts.hpp"
#include "messages/instants.hpp"

/// How a node stands towards others, as metrics, the status page and commands show it. Values: whoever forwards or
/// collects fills in what it knows, whatever it speaks to the other side.
namespace cellos {

enum class forwarding_state : std::uint8_t {
  /// Nobody takes lines: a connection is being made, or tried again after a pause.
  unreached,
  delivering,
  /// Whoever takes them asked for a pause, or as many bytes as may be were sent.
  held_back,
  /// Whoever was reached last does not want this log; tried again.
  refused,
};

inline constexpr forwarding_state forwarding_states[]{forwarding_state::unreached, forwarding_state::delivering,
                                                      forwarding_state::held_back, forwarding_state::refused};

constexpr std::string_view to_string(forwarding_state state) {
  switch (state) {
    case forwarding_state::unreached: return "unreached";
    case forwarding_state::delivering: return "delivering";
    case forwarding_state::held_back: return "held_back";
    case forwarding_state::refused: return "refused";
  }
  return "unreached";
}

/// Of the lines that are committed: what nobody else is known to have yet.
struct forwarding_lag {
  /// Exact while the lines wait for their answer; of those not yet sent, by the length of the oldest of them.
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  /// Since the oldest of them was dated; zero where there is none.
  std::chrono::nanoseconds age{0};

  bool operator==(const forwarding_lag&) const = default;
};

/// One forwarder of the evidence log.
struct forwarding_status {
  /// One word, as in labels: `collectors`, `jetstream`, `http`.
  std::string name;
  forwarding_state state = forwarding_state::unreached;
  /// Who takes the lines, as the configuration names it; empty while nobody does.
  std::string destination;
  forwarding_lag lag;
  /// Acknowledged since the process began.
  std::uint64_t lines_delivered = 0;
  std::uint64_t bytes_delivered = 0;
  /// What was sent for that, compressed and more than once where it had to be.
  std::uint64_t bytes_sent = 0;
  /// Times that retention had removed lines before they were delivered.
  std::uint64_t gaps = 0;

  bool operator==(const forwarding_status&) const = default;
};

/// Cells that this host serves, and those of them whose agents are silent.
struct cell_figures {
  std::uint32_t cells = 0;
  std::uint32_t silenced = 0;
};

/// This node's own certificate, as one of its sides shows it.
struct certificate_status {
  std::string role;
  std::string file;
  /// When the first of the chain to the authority ends.
  wall_time expires;
};

/// Connections of one side of this node.
struct transport_status {
  /// `collector`: hosts connect; `host`: it connects to collectors.
  std::string role;
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t handshakes_pending = 0;
  using by_reason = std::vector<std::pair<std::string_view, std::uint64_t>>;
  by_reason refused;
  by_reason closed;
  by_reason violations;
};

/// What a collector took, of all hosts together, since the process began.
struct collection_status {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t batches = 0;
  std::uint64_t refused = 0;
  /// Batches that were not taken for now: the host was over its quota, or the disk took nothing, or too many waited.
  std::uint64_t over_quota = 0;
  std::uint64_t not_stored = 0;
  std::uint64_t crowded = 0;
  std::uint64_t commit_failures = 0;
  /// How long the disk took to make lines durable.
  duration_counts::values commits;
};

}  // namespace cellos
