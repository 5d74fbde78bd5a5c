#pragma once

#include <memory>

#include "actors/chain_epochs.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/recovered_runs.hpp"
#include "messages/event_seal.hpp"

namespace cellos {

/// What the HOST SUPERVISOR alone works with, or lends to one of its children. Outlives it: what is left of it when all
/// actors are gone is the daemon's.
struct host_resources {
  /// Runs that the evidence log says are open; each is taken out as its cell is admitted again.
  recovered_runs recovered{};
  /// Null: events carry neither digests nor signatures.
  event_sealing_ptr sealing = nullptr;
  /// What the HOST CHAIN works on. Null: no chain of the host's own is kept.
  host_event_chain* host_chain = nullptr;
  /// Of every chain this host begins.
  std::shared_ptr<chain_epochs> epochs = std::make_shared<chain_epochs>();
};

}  // namespace cellos
