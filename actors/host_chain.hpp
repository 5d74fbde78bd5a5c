#pragma once

#include "actors/host_environment.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

struct host_chain_state {
  static constexpr const char* name = "host.chain";
  host_chain_state() = default;

  host_event_chain* chain = nullptr;
  activity_ptr activity;
};

/// `chain` and `host` must outlive the actor; nobody else may use `chain` while it lives.
host_chain_actor::behavior_type make_host_chain(host_chain_actor::stateful_pointer<host_chain_state> self,
                                                host_event_chain* chain, const host_environment& host);

}  // namespace cellos
