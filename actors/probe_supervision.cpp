#include "actors/probe_supervision.hpp"

#include <functional>

#include "actors/failure.hpp"
#include "actors/probe_scheduler.hpp"
#include "actors/supervision.hpp"

namespace cellos {

void start_probe_scheduler(host_pointer self) {
  host_supervisor_state& state = self->state;
  if (state.host->probes == nullptr) return;
  state.probe_scheduler = monitor_child(
      self, self->spawn<caf::monitored>(make_probe_scheduler, ++state.probe_schedulers, std::cref(*state.host)));
  for (const auto& [id, record] : state.cells) {
    if (!record.admit_answer) watch_cell(self, record);
  }
}

void watch_cell(host_pointer self, const host_supervisor_state::cell_record& record) {
  const host_supervisor_state& state = self->state;
  const sink_actor& sink = state.sinks.at(record.sink);
  if (!state.probe_scheduler || !sink) return;
  self->send(state.probe_scheduler, watch_atom::value,
             probed_cell{record.cell->run, record.cell->specification, record.cell->progress->sightings()}, sink);
}

void unwatch_cell(host_supervisor_state& state, const host_supervisor_state::cell_record& record) {
  if (state.host->probes == nullptr) return;
  // Behind what was sent before; and at once, in case that the scheduler does not live to hear of it.
  if (state.probe_scheduler) caf::anon_send(state.probe_scheduler, unwatch_atom::value, record.cell->run);
  state.host->probes->unwatch(record.cell->run);
}

bool replace_probe_scheduler(host_pointer self, const caf::down_msg& down) {
  host_supervisor_state& state = self->state;
  if (!state.probe_scheduler || down.source != state.probe_scheduler) return false;
  state.host->events.actor_failed("PROBE SCHEDULER", "", explanation(down.reason));
  state.probe_scheduler = nullptr;
  if (state.probe_scheduler_restarts.permit(self->clock().now())) {
    start_probe_scheduler(self);
  } else {
    state.probe_scheduler_restarts.forgive();
    self->delayed_send(self, state.host->limits.pause, retry_atom::value);
  }
  return true;
}

}  // namespace cellos
