#include "runtime/daemon/node_system.hpp"

#include "runtime/transport/remoting.hpp"

namespace cellos {

node_system::settings::settings() {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", actor_threads);
  configure_remoting(*this, remoting_times{});
}

node_system::node_system() : system_(settings_) { close_named_actors(system_); }

}  // namespace cellos
