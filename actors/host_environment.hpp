#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actors/activity.hpp"
#include "actors/events.hpp"
#include "actors/ports.hpp"
#include "actors/restart_intensity.hpp"
#include "messages/batch.hpp"
#include "messages/decode_chunk.hpp"
#include "messages/recovered_run.hpp"

namespace cellos {

/// What the actors of one daemon share; outlives them all.
struct host_environment {
  std::string host_id;
  std::string daemon_version;
  telemetry_sockets& sockets;
  evidence_log& log;
  quarantine_store& quarantine;
  const wall_clock& clock;
  operator_events& events;
  activity_census& census;
  /// Runs that the evidence log says are open; the HOST SUPERVISOR takes each out as its cell is admitted again.
  std::vector<recovered_run> recovered;
  restart_limits limits{};
  /// The DECODER's work. Its own member because tests put faults here.
  std::function<batch(chunk_ptr, host_stamp_ptr)> decode = decode_chunk;
};

}  // namespace cellos
