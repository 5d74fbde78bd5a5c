#pragma once

#include <chrono>

#include "messages/host_sighting.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// The host's own observation that an agent stopped declaring; reported once per run.
struct agent_silenced {
  /// The window that was exceeded.
  std::chrono::nanoseconds window{};
  /// Last accepted frame (or admission, which counts as the first), monotonic.
  monotonic_time last_accepted{};
  /// When the watcher concluded it, monotonic.
  monotonic_time observed{};
  /// What the host had seen of the cell by then. Nobody waits for it: it is what there is.
  host_sighting seen{};
};

}  // namespace cellos
