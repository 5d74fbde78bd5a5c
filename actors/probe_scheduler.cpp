// PROBE SCHEDULER, beside the data path: has cells read for as long as they are served, and brings each reading to the
// SINK of its run. In: which runs there are, and readings from the threads that take them. Out: readings, one message
// each, in the order in which they were taken. When what is due is for the schedule behind the port `host_probes`,
// which is pure, and nothing is read here. Owns nothing it could lose by dying: its successor is given the runs again,
// and meanwhile a reading is lost, as one that failed is.

#include "actors/probe_scheduler.hpp"

#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

using scheduler_pointer = probe_scheduler_actor::stateful_pointer<probe_scheduler_state>;

void on_watch(scheduler_pointer self, const probed_cell& cell, const sink_actor& sink) {
  const activity::mark busy{*self->state.activity};
  self->state.runs[cell.run->cell_id] = {cell.run, sink};
  self->state.host->probes->watch(cell.run, cell.specification, cell.board);
}

/// Of a cell that was admitted again meanwhile, the later run stays.
void on_unwatch(scheduler_pointer self, const host_stamp_ptr& run) {
  const activity::mark busy{*self->state.activity};
  const auto known = self->state.runs.find(run->cell_id);
  if (known != self->state.runs.end() && known->second.run == run) self->state.runs.erase(known);
  // Also of a run that was never opened: its VMM may have connected.
  self->state.host->probes->unwatch(run);
}

void on_reading(scheduler_pointer self, const host_stamp_ptr& run, const probe_reading_ptr& reading) {
  const auto known = self->state.runs.find(run->cell_id);
  if (known == self->state.runs.end() || known->second.run != run || !known->second.sink) return;
  self->send(known->second.sink, run, reading);
}

}  // namespace

probe_scheduler_actor::behavior_type make_probe_scheduler(scheduler_pointer self, std::uint64_t generation,
                                                          const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  self->state.host = &host;
  self->state.activity = host.activities.enter("PROBE SCHEDULER", "", self->address());
  const probe_scheduler_actor own = self;
  host.probes->attach(generation, [own](const host_stamp_ptr& run, probe_reading_ptr reading) {
    caf::anon_send(own, run, std::move(reading));
  });
  return {
      [self](watch_atom, const probed_cell& cell, const sink_actor& sink) { on_watch(self, cell, sink); },
      [self](unwatch_atom, const host_stamp_ptr& run) { on_unwatch(self, run); },
      [self](const host_stamp_ptr& run, const probe_reading_ptr& reading) { on_reading(self, run, reading); },
  };
}

}  // namespace cellos
