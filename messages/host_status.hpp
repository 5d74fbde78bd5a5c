#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "messages/node_status.hpp"
#include "messages/segment_position.hpp"

namespace cellos {

/// How far a host's log is, and how much of it a collector has.
struct host_positions {
  /// Durable in the collector's copy.
  segment_position kept;
  /// Of the host's log, as it says.
  segment_position committed;
};

/// A host, as a collector knows it at one moment.
struct host_status {
  std::string host_id;
  bool is_connected = false;
  bool is_silent = false;
  std::chrono::nanoseconds unheard_for{0};
  host_positions reached;
  /// Taken since the process began.
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  /// Batches that were not taken for now.
  std::uint64_t held_back = 0;
  /// Copies of its present log that do not say the same.
  std::uint32_t forks = 0;
  /// What this collector lacks of the host's log. Nothing where the host, of an earlier version, does not say.
  std::optional<forwarding_lag> lag{};
  /// As the host says; nothing where it does not.
  std::optional<cell_figures> cells{};
};

}  // namespace cellos
