#pragma once

#include <chrono>
#include <filesystem>
#include <set>

#include "messages/host_probe.hpp"
#include "messages/witness_terms.hpp"

namespace cellos {

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

  bool operator==(const probe_settings&) const = default;
};

}  // namespace cellos
