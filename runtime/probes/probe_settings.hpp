#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>

#include "messages/host_probe.hpp"
#include "messages/witness_terms.hpp"

namespace cellos {

/// Whether what needs capabilities is read by a process of its own, and the daemon has none of them (ADR 20).
enum class privileged_reading : std::uint8_t {
  /// Where a cell of the file needs them, or the unit gave one to a daemon that is not root.
  automatic,
  always,
  never,
};

inline constexpr std::string_view to_string(privileged_reading how) {
  switch (how) {
    case privileged_reading::always: return "always";
    case privileged_reading::never: return "never";
    default: return "auto";
  }
}

/// What the host reads of every cell.
struct probe_settings {
  /// From one reading of a source to the next. Chosen here: as long as an agent may be silent.
  std::chrono::nanoseconds period = std::chrono::seconds{10};
  /// A source that takes longer has failed. Chosen here: a tenth of the period.
  std::chrono::nanoseconds timeout = std::chrono::seconds{1};
  /// Of `host.process` and `host.cgroup`: those that are put on record of cells that do not say otherwise. Default:
  /// none, since each reading is a line of the log for as long as the cell runs.
  std::set<host_probe> record{};
  /// Of wall time, in which declarations and readings are compared: at least three periods. Default: chosen here.
  std::chrono::nanoseconds witness_window = std::chrono::seconds{30};
  /// By what they are compared, of cells that do not say otherwise.
  witness_terms terms{};
  /// Where the hierarchies of control groups are mounted. Default: systemd's, and that of cgroups(7).
  std::filesystem::path cgroup_root = "/sys/fs/cgroup";
  /// Who reads what needs capabilities.
  privileged_reading privileged = privileged_reading::automatic;

  bool operator==(const probe_settings&) const = default;
};

}  // namespace cellos
