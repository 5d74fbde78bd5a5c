#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

struct probe_scheduler_state {
  static constexpr const char* name = "host.probe_scheduler";
  probe_scheduler_state() = default;

  struct watched_run {
    host_stamp_ptr run;
    sink_actor sink;
  };

  const host_environment* host = nullptr;
  activity_ptr activity;
  /// By cell.
  std::map<std::string, watched_run, std::less<>> runs;
};

/// `generation`: of those that were started so far. `host` must outlive the actor, and have probes.
probe_scheduler_actor::behavior_type make_probe_scheduler(
    probe_scheduler_actor::stateful_pointer<probe_scheduler_state> self, std::uint64_t generation,
    const host_environment& host);

}  // namespace cellos
