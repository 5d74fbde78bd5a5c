#pragma once

#include <chrono>

#include "messages/agent_silenced.hpp"
#include "messages/contradiction.hpp"
#include "messages/host_probe.hpp"

/// Of what a host reads for itself, one of each.
namespace cellos::test {

inline host_sighting everything_seen() {
  host_sighting seen;
  seen.vmm = {vmm_state::signalled, 9};
  seen.cgroup_populated = false;
  seen.cpu_moving = false;
  seen.traffic_moving = true;
  seen.connected = false;
  seen.looked_at = monotonic_time{std::chrono::seconds{14}};
  return seen;
}

inline agent_silenced watched(agent_silenced known) {
  known.seen = everything_seen();
  return known;
}

inline probe_reading some_reading(host_probe probe) {
  return {probe, R"({"pid":5})", R"({"alive":true})", std::nullopt};
}

inline recorded_contradiction some_contradiction(bool of_declaration, wall_time from) {
  recorded_contradiction found;
  found.of_declaration = of_declaration;
  found.kind = of_declaration ? "declaration_unwitnessed" : "undeclared_network";
  found.confidence = "firm";
  found.window = 59'817'600;
  found.window_ns = 30'000'000'000;
  found.from = from;
  found.to = from + std::chrono::seconds{30};
  found.first_reading = 3;
  found.last_reading = 9;
  found.counted = 12;
  found.declared = 1;
  found.background = 2;
  found.threshold = 4;
  return found;
}

}  // namespace cellos::test
