#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// Where a VMM listens for its API: a path below a directory that the VMM cannot replace.
struct firecracker_api_place {
  std::string directory;
  /// Relative; the VMM may own all of it.
  std::string path;
  /// Who must own the socket; nothing: anybody.
  std::optional<uid_t> owner{};
};

/// Has Firecracker write its metrics now: `PUT /actions {"action_type": "FlushMetrics"}`. They are written when this
/// returns without an error; a VMM that refuses, for it has no metrics configured, is `io`.
std::optional<probe_error> flush_metrics(const firecracker_api_place& place, monotonic_time deadline);

}  // namespace cellos
