#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cellos {

/// The closed set of things a guest may declare. The first five are the original agent's; the last two are chosen here.
enum class probe_source : std::uint8_t {
  process_spawned,
  process_exited,
  capability_denied,
  net_connect_attempted,
  fs_inotify_fired,
  /// A sign of life: counted, resets the silence window, never appended to the log.
  agent_heartbeat,
  /// The agent says its own queue overflowed.
  telemetry_dropped,
};

/// Wire spelling of each source, in enumerator order.
inline constexpr std::array<std::string_view, 7> probe_source_names{
    "process.spawned",  "process.exited",  "capability.denied", "net.connect_attempted",
    "fs.inotify_fired", "agent.heartbeat", "telemetry.dropped",
};

constexpr std::string_view to_string(probe_source source) {
  return probe_source_names[static_cast<std::size_t>(source)];
}

/// The source spelled exactly so, or nothing.
constexpr std::optional<probe_source> parse_probe_source(std::string_view spelling) {
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    if (probe_source_names[i] == spelling) return static_cast<probe_source>(i);
  }
  return std::nullopt;
}

}  // namespace cellos
