#pragma once

#include <optional>
#include <vector>

#include "actors/cell_estate.hpp"
#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

struct cell_supervisor_state {
  static constexpr const char* name = "cell.supervisor";
  cell_supervisor_state() = default;

  cell_estate_ptr cell;
  const host_environment* host = nullptr;
  sink_actor sink;
  listener_actor listener;
  decoder_actor decoder;
  keepalive_actor keepalive;
  /// Everyone who asked for admission while the run was being opened.
  std::vector<caf::typed_response_promise<cell_status>> admit_answers;
  /// Set while the cell is being retired.
  std::optional<caf::typed_response_promise<run_totals>> retire_answer;
  run_end_reason end_reason{};
};

/// `host` must outlive the actor.
cell_supervisor_actor::behavior_type make_cell_supervisor(
    cell_supervisor_actor::stateful_pointer<cell_supervisor_state> self, cell_estate_ptr cell, sink_actor sink,
    const host_environment& host);

}  // namespace cellos
