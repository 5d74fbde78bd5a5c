#pragma once

#include <string>

#include "actors/events.hpp"
#include "actors/ports.hpp"

namespace cellos {

/// What the actors of one daemon share; outlives them all.
struct host_environment {
  std::string host_id;
  std::string daemon_version;
  telemetry_sockets& sockets;
  evidence_log& log;
  const wall_clock& clock;
  operator_events& events;
};

}  // namespace cellos
