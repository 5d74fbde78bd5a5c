#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>

namespace cellos {

/// The actors that speak to other nodes have an actor system of their own: what comes over the network takes no thread
/// from those that serve cells, and a host without collectors has no middleman at all.
class node_system {
 public:
  /// Those that run actors. A collector's sessions wait for the disk in a thread of their own, and a forwarder is one
  /// actor; chosen here.
  static constexpr std::size_t actor_threads = 2;
  /// Beside them: CAF's timer, printer and middleman with its workers.
  static constexpr std::size_t threads_at_most = actor_threads + 6;

  node_system();

  caf::actor_system& actors() { return system_; }

 private:
  class settings final : public caf::actor_system_config {
   public:
    settings();
  };

  settings settings_;
  caf::actor_system system_;
};

}  // namespace cellos
