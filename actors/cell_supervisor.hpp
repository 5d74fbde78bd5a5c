#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/cell_resources.hpp"
#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"
#include "actors/restart_intensity.hpp"
#include "actors/run_lifecycle.hpp"

namespace cellos {

struct cell_supervisor_state {
  static constexpr const char* name = "cell.supervisor";
  cell_supervisor_state() = default;

  cell_resources_ptr cell;
  const host_environment* host = nullptr;
  caf::actor_addr host_supervisor;
  run_lifecycle lifecycle;
  sink_actor sink;
  listener_actor listener;
  decoder_actor decoder;
  keepalive_actor keepalive;
  restart_intensity restarts{restart_limits{}};
  /// The chunk at which the last DECODER died, 0 if it was none's fault.
  std::uint64_t suspect = 0;
  /// Everyone who asked how the cell stands, by the number of the question put to the SINK.
  std::map<std::uint64_t, caf::typed_response_promise<cell_status>> status_answers;
  std::uint64_t status_questions = 0;
  /// Everyone who asked for admission while the run was being opened.
  std::vector<caf::typed_response_promise<cell_status>> admit_answers;
  /// Set while the cell is being retired.
  std::optional<caf::typed_response_promise<run_totals>> retire_answer;
  run_end_reason end_reason{};
  activity_ptr activity;
};

/// Ends when `host_supervisor` does. `host` must outlive the actor.
cell_supervisor_actor::behavior_type make_cell_supervisor(
    cell_supervisor_actor::stateful_pointer<cell_supervisor_state> self, cell_resources_ptr cell, sink_actor sink,
    caf::actor_addr host_supervisor, const host_environment& host);

}  // namespace cellos
