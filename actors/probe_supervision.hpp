#pragma once

#include "actors/cell_queries.hpp"

/// How the HOST SUPERVISOR keeps a PROBE SCHEDULER, and has cells read for as long as they are served. Nothing of it
/// does anything on a host without probes.
namespace cellos {

void start_probe_scheduler(host_pointer self);
/// Its run is open, or its SINK is another one.
void watch_cell(host_pointer self, const host_supervisor_state::cell_record& record);
void unwatch_cell(host_supervisor_state& state, const host_supervisor_state::cell_record& record);
/// True if the scheduler is who died: another one takes over.
bool replace_probe_scheduler(host_pointer self, const caf::down_msg& down);

}  // namespace cellos
