#pragma once

#include <memory>
#include <optional>

#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

class listener_credit;

struct listener_state {
  static constexpr const char* name = "cell.listener";
  listener_state() = default;

  /// Its own reference: the CELL SUPERVISOR lets go of its when the run is over.
  cell_intake_ptr intake;
  /// Which of the cell's LISTENERs this is; a later one takes precedence.
  std::uint64_t generation = 0;
  decoder_actor decoder;
  /// What goes with this LISTENER's chunks.
  std::shared_ptr<listener_credit> credit;
  /// Set once the intake has said that no further chunk will come.
  bool drained = false;
  std::optional<caf::typed_response_promise<std::uint64_t>> drain_answer;
  activity_ptr activity;
};

listener_actor::behavior_type make_listener(listener_actor::stateful_pointer<listener_state> self,
                                            const host_stamp_ptr& run, cell_intake_ptr intake, std::uint64_t generation,
                                            const host_environment& host);

}  // namespace cellos
