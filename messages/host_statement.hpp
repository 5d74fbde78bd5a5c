#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "messages/evidence_removal.hpp"
#include "messages/host_event.hpp"
#include "messages/node_statement.hpp"

namespace cellos {

struct daemon_start {
  std::string daemon_version;
  /// Where the chain begins in the place of another: that one.
  std::optional<former_chain> former = std::nullopt;
};

struct daemon_stop {};

/// A run's chain begins.
struct run_begin_mark {
  std::string chain;
};

/// Segments that are gone, and that retention did not remove.
struct missing_range {
  std::uint64_t first_segment = 0;
  std::uint64_t last_segment = 0;
};

struct truncated_file {
  std::string file;
  std::uint64_t bytes_removed = 0;
};

/// The log had taken nothing for a time.
struct log_blockage {
  std::string cause;
  std::chrono::nanoseconds lasted{};
};

/// What the host's own chain says: one event each, or as many as an `evidence_removal` has parts.
using host_statement = std::variant<daemon_start, daemon_stop, run_begin_mark, run_end_mark, evidence_removal,
                                    missing_range, truncated_file, log_blockage, recovery_finding, node_statement_ptr>;

}  // namespace cellos
