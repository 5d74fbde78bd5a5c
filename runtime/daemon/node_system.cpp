#include "runtime/daemon/node_system.hpp"

#include "runtime/daemon/shared_queue.hpp"
#include "runtime/transport/remoting.hpp"

namespace cellos {

node_system::settings::settings() {
  use_shared_queue(*this, actor_threads);
  configure_remoting(*this, remoting_times{});
}

node_system::node_system() : system_(settings_) { close_named_actors(system_); }

}  // namespace cellos
