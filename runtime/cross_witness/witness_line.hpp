#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "messages/instants.hpp"
#include "messages/probe_source.hpp"

namespace cellos {

/// What the lines of a run's chain say, as far as declarations and readings are compared. Times are the host's own.
namespace witnessed {

struct declaration {
  probe_source source{};
  std::uint32_t guest_pid = 0;
};

/// What a counter counts of the cell's traffic.
enum class network_counter : std::uint8_t {
  /// TCP segments that open a connection, from the cell: a rule on `tcp flags syn / fin,syn,rst,ack`.
  connection_attempts,
  /// Whatever comes out of the cell's tap.
  packets,
};

struct network_reading {
  network_counter counter{};
  std::uint64_t value = 0;
  /// Another one where counting began anew: the interface's index, the counter's handle.
  std::uint64_t instance = 0;
};

struct cgroup_reading {
  /// Processes of the group that the kernel killed for want of memory.
  std::optional<std::uint64_t> oom_kills;
  /// Forks that the group's limit refused.
  std::optional<std::uint64_t> refused_forks;
};

struct vmm_reading {
  bool alive = false;
};

/// The agent had not been heard for so long.
struct silence {
  std::chrono::nanoseconds silent_for{};
};
struct resumption {};
/// Declarations were lost, nobody knows which.
struct loss {};
/// The daemon was away, for a time that nobody measured.
struct restart {};
struct end {};

}  // namespace witnessed

struct witness_line {
  std::uint64_t sequence = 0;
  wall_time at{};
  std::variant<witnessed::declaration, witnessed::network_reading, witnessed::cgroup_reading, witnessed::vmm_reading,
               witnessed::silence, witnessed::resumption, witnessed::loss, witnessed::restart, witnessed::end>
      what;
};

}  // namespace cellos
