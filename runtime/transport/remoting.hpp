#pragma once

#include <caf/fwd.hpp>
#include <chrono>

namespace cellos {

/// How soon the two ends of a silent connection take it for lost. CAF looks at whole messages: one that takes longer
/// than `lost_after` to come through would never arrive, so 1 MiB needs 1.7 Mbit/s.
struct remoting_times {
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds lost_after{5000};
};

/// Before the actor system is made: it has a middleman, beats, and calls itself by a random id (CAF would make it of
/// the machine's addresses and the process's number, which containers share). SIGPIPE is ignored from here on, since
/// OpenSSL writes to sockets whose peers have gone.
void configure_remoting(caf::actor_system_config& configuration, const remoting_times& times);

/// Afterwards: what CAF would give to any peer by name, its spawner and its store of values, is not there to be given.
void close_named_actors(caf::actor_system& system);

}  // namespace cellos
