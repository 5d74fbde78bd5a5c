#include "runtime/transport/remoting.hpp"

#include <openssl/rand.h>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/detail/get_root_uuid.hpp>
#include <caf/io/middleman.hpp>
#include <caf/settings.hpp>
#include <caf/timespan.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

// CAF hashes what this returns into the node's id. Defined in the program, it takes the place of the library's own.
std::string caf::detail::get_root_uuid() {
  std::string random(32, '\0');
  // Without randomness OpenSSL could not shake hands either.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(random.size())) != 1) std::abort();
  return random;
}

namespace cellos {

void configure_remoting(caf::actor_system_config& configuration, const remoting_times& times) {
  std::signal(SIGPIPE, SIG_IGN);
  configuration.load<caf::io::middleman>();
  configuration.set("middleman.heartbeat-interval", caf::timespan{times.heartbeat});
  configuration.set("middleman.connection-timeout", caf::timespan{times.lost_after});
}

void close_named_actors(caf::actor_system& system) {
  system.registry().erase(caf::atom("SpawnServ"));
  system.registry().erase(caf::atom("ConfigServ"));
}

}  // namespace cellos
