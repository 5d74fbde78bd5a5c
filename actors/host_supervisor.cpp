// HOST SUPERVISOR: admits and retires cells, each under a CELL SUPERVISOR of its own, and owns the SINKs, over which
// cells are spread by name, and the HOST CHAIN. It replaces whichever of them died; what they worked on (resources,
// journal, chain) outlives them. A refused cell costs the others nothing.

#include "actors/host_supervisor.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "actors/cell_queries.hpp"
#include "actors/failure.hpp"
#include "actors/host_chain.hpp"
#include "actors/probe_supervision.hpp"
#include "actors/supervised_request.hpp"
#include "actors/supervision.hpp"
#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

using cell_record = host_supervisor_state::cell_record;
using on_retired = host_supervisor_state::on_retired;
using host_cells = decltype(host_supervisor_state::cells);

/// A CELL SUPERVISOR bounds its own steps; these only catch one that hangs. Chosen here.
constexpr std::chrono::seconds admit_timeout{15};
constexpr std::chrono::seconds retire_timeout{45};

void start_cell(host_pointer self, cell_record& record) {
  host_supervisor_state& state = self->state;
  record.supervisor =
      monitor_child(self, self->spawn<caf::monitored>(make_cell_supervisor, record.cell, state.sinks.at(record.sink),
                                                      self->address(), std::cref(*state.host)));
  state.supervised.emplace(record.supervisor.address(), record.cell->run->cell_id);
}

/// Why a new cell cannot be admitted beside the ones there are; empty if it can.
std::string conflict(const host_supervisor_state& state, const cell_specification& wanted) {
  const std::string path = wanted.socket_path();
  const std::string* owner = state.socket_paths.owner(path);
  if (owner == nullptr || *owner == wanted.cell_id) return {};
  return "socket " + escaped(path, 128) + " belongs to cell " + *owner + "; give each cell its own vsock_uds_base";
}

caf::result<cell_status> admit_again(host_pointer self, const cell_record& record, const cell_specification& wanted) {
  if (record.retiring) {
    return make_failure(failure::stopping, "cell " + wanted.cell_id + " is being retired; try again when it is gone");
  }
  if (record.cell->specification != wanted) {
    return make_failure(failure::cell_conflict,
                        "cell " + wanted.cell_id + " is live with another specification; remove it first");
  }
  return self->delegate(record.supervisor, admit_atom::value);
}

/// Takes a cell out, with what it counted into the accounts of those that are gone.
cell_record take_out(host_supervisor_state& state, host_cells::iterator found) {
  cell_record gone = std::move(found->second);
  state.socket_paths.remove(gone.cell->specification.socket_path(), found->first);
  unwatch_cell(state, gone);
  state.host->board->remove(found->first, gone.cell->progress);
  state.cells.erase(found);
  if (gone.admit_answer) gone.admit_answer->deliver(make_failure(failure::stopping, "the cell ended meanwhile"));
  const cell_status& last = gone.cell->at_the_end ? *gone.cell->at_the_end : gone.sighting.last();
  state.ended.ended += last.since_start();
  state.ended.connections_refused_of_ended += last.connections_refused;
  state.ended.bytes_received_of_ended += last.bytes_received;
  return gone;
}

void forget(host_pointer self, const std::string& cell_id) {
  const auto record = self->state.cells.find(cell_id);
  if (record == self->state.cells.end()) return;
  const cell_record gone = take_out(self->state, record);
  // Whatever was begun of its run is ended.
  caf::anon_send(self->state.sinks.at(gone.sink), close_run_atom::value, gone.cell->run,
                 run_closing{run_end_reason::retired, 0, 0});
  if (gone.supervisor) self->send_exit(gone.supervisor, caf::exit_reason::user_shutdown);
}

/// A run that the daemon's predecessor left open waits for the next attempt if its socket could not even be bound.
void keep_recovered(host_pointer self, const std::string& id, const caf::error& cause) {
  const auto refused = self->state.cells.find(id);
  const bool unbound = is_failure(cause, failure::bind_failed) || is_failure(cause, failure::cell_conflict);
  if (refused == self->state.cells.end() || !unbound) return;
  if (const auto& left = refused->second.cell->recovered) self->state.resources->recovered.put_back(*left);
}

/// Asks the cell's CELL SUPERVISOR to bind it and to open its run; one that dies of it is replaced and its successor
/// asked again, as in `ask_to_retire`.
void ask_to_admit(host_pointer self, const std::string& id) {
  cell_record& record = self->state.cells.at(id);
  if (!record.supervisor) start_cell(self, record);
  const std::uint64_t attempt = ++record.admit_attempt;
  const auto current = [self, cell = record.cell, id, attempt]() -> cell_record* {
    cell_record* known = record_of(self->state, id, cell);
    return known != nullptr && known->admit_answer && known->admit_attempt == attempt ? known : nullptr;
  };
  ask<cell_status>(self, record.supervisor, admit_timeout,
                   {.wanted = [current] { return current() != nullptr; },
                    .answered =
                        [self, current](cell_status& admitted) {
                          cell_record& known = *current();
                          known.sighting.see(admitted, self->clock().now());
                          admitted.newly_admitted = true;
                          std::exchange(known.admit_answer, std::nullopt)->deliver(std::move(admitted));
                          watch_cell(self, known);
                        },
                    .failed =
                        [self, id, current](const caf::error& cause) {
                          self->state.host->events.cell_refused(id, explanation(cause));
                          keep_recovered(self, id, cause);
                          auto answer = *std::exchange(current()->admit_answer, std::nullopt);
                          forget(self, id);
                          answer.deliver(cause);
                        }},
                   admit_atom::value);
}

caf::result<cell_status> on_admit(host_pointer self, const cell_specification& wanted) {
  host_supervisor_state& state = self->state;
  if (state.stopping) return make_failure(failure::stopping, "the daemon is stopping");
  if (const auto known = state.cells.find(wanted.cell_id); known != state.cells.end()) {
    return admit_again(self, known->second, wanted);
  }
  if (std::string why = conflict(state, wanted); !why.empty()) {
    state.host->events.cell_refused(wanted.cell_id, why);
    return make_failure(failure::cell_conflict, std::move(why));
  }
  cell_record record;
  record.cell = make_cell_resources(state.host->host_id, wanted);
  record.cell->recovered = state.resources->recovered.take(*record.cell->run);
  record.restarts = restart_intensity{state.host->limits};
  record.sighting = {wanted, self->clock().now()};
  record.sink = state.sinks.place_of(wanted.cell_id);
  const auto answer = self->make_response_promise<cell_status>();
  record.admit_answer = answer;
  state.host->board->add(wanted.cell_id, record.cell->progress);
  state.cells.emplace(wanted.cell_id, std::move(record));
  state.socket_paths.add(wanted.socket_path(), wanted.cell_id);
  ask_to_admit(self, wanted.cell_id);
  return answer;
}

/// Asks the cell's CELL SUPERVISOR to end it. One that dies of it is replaced and its successor asked again (see
/// `on_cell_down`): what an earlier attempt still brings is ignored.
void ask_to_retire(host_pointer self, const std::string& id) {
  cell_record& record = self->state.cells.at(id);
  if (!record.supervisor) start_cell(self, record);
  const std::uint64_t attempt = ++record.retire_attempt;
  const auto current = [self, id, attempt] {
    const auto found = self->state.cells.find(id);
    return found != self->state.cells.end() && found->second.retire_attempt == attempt;
  };
  ask<run_totals>(self, record.supervisor, retire_timeout,
                  {.wanted = current,
                   .answered =
                       [self, id](const run_totals& totals) {
                         const cell_record gone = take_out(self->state, self->state.cells.find(id));
                         gone.retired(totals);
                       },
                   .failed =
                       [self, id](const caf::error& cause) {
                         const on_retired done = std::move(self->state.cells.at(id).retired);
                         forget(self, id);
                         done(cause);
                       }},
                  retire_atom::value, record.end_reason);
}

/// Retires one cell and calls `done` with its totals, or with why it did not end cleanly.
void retire(host_pointer self, const std::string& id, run_end_reason reason, on_retired done) {
  const auto found = self->state.cells.find(id);
  if (found == self->state.cells.end()) {
    return done(make_failure(failure::unknown_cell, "cell " + id + " is gone"));
  }
  found->second.retiring = true;
  found->second.end_reason = reason;
  found->second.retired = std::move(done);
  ask_to_retire(self, id);
}

caf::result<run_totals> on_retire(host_pointer self, const std::string& cell_id) {
  const auto record = self->state.cells.find(cell_id);
  if (record == self->state.cells.end()) {
    return make_failure(failure::unknown_cell, "no cell " + escaped(cell_id) + " is admitted");
  }
  if (record->second.retiring) return make_failure(failure::stopping, "cell " + cell_id + " is being retired");
  auto answer = self->make_response_promise<run_totals>();
  retire(self, cell_id, run_end_reason::retired, [answer](const caf::expected<run_totals>& totals) mutable {
    totals ? answer.deliver(*totals) : answer.deliver(totals.error());
  });
  return answer;
}

caf::typed_response_promise<std::vector<cell_status>> on_status(host_pointer self) {
  auto answer = self->make_response_promise<std::vector<cell_status>>();
  collect_accounts(self, [answer](host_accounts accounts) mutable { answer.deliver(std::move(accounts.cells)); });
  return answer;
}

caf::typed_response_promise<host_accounts> on_accounts(host_pointer self) {
  auto answer = self->make_response_promise<host_accounts>();
  collect_accounts(self, [answer](host_accounts accounts) mutable { answer.deliver(std::move(accounts)); });
  return answer;
}

void one_cell_ended(host_pointer self, bool cleanly) {
  host_supervisor_state& state = self->state;
  if (!cleanly) ++state.cells_not_drained;
  if (--state.cells_ending == 0) state.stop_answer->deliver(state.cells_not_drained);
}

caf::result<std::uint64_t> on_stop(host_pointer self) {
  host_supervisor_state& state = self->state;
  if (std::exchange(state.stopping, true)) return make_failure(failure::stopping, "the daemon is stopping already");
  if (state.cells.empty()) return std::uint64_t{0};
  state.stop_answer = self->make_response_promise<std::uint64_t>();
  state.cells_ending = state.cells.size();
  const auto answer = *state.stop_answer;
  std::vector<std::string> ids;
  for (const auto& [id, record] : state.cells) ids.push_back(id);
  for (const std::string& id : ids) {
    if (state.cells.at(id).retiring) {  // its own retirement goes on; whoever asked for it hears the totals
      one_cell_ended(self, true);
      continue;
    }
    retire(self, id, run_end_reason::daemon_stopped, [self](const caf::expected<run_totals>& totals) {
      one_cell_ended(self, totals && totals->in_flight() == 0);
    });
  }
  return answer;
}

void retry_after_pause(host_pointer self) {
  self->delayed_send(self, self->state.host->limits.pause, retry_atom::value);
}

void start_host_chain(host_pointer self) {
  host_supervisor_state& state = self->state;
  if (state.resources->host_chain == nullptr) return;
  host_event_chain* const chain = state.resources->host_chain;
  const auto host = std::cref(*state.host);
  state.host_chain = monitor_child(self, state.host->host_chain_has_thread
                                             ? self->spawn<caf::monitored + caf::detached>(make_host_chain, chain, host)
                                             : self->spawn<caf::monitored>(make_host_chain, chain, host));
}

void introduce_host_chain(host_pointer self) {
  host_supervisor_state& state = self->state;
  start_host_chain(self);
  self->send(state.host_chain, rekey_atom::value, state.resources->sealing);
  for (std::size_t place = 0; place < state.sinks.size(); ++place) {
    if (state.sinks.at(place)) self->send(state.sinks.at(place), state.host_chain);
  }
}

caf::result<append_outcome> on_append(host_pointer self, const joint_append_ptr& what) {
  if (!self->state.host_chain) return make_failure(failure::no_answer, "there is no HOST CHAIN at the moment");
  return self->delegate(self->state.host_chain, append_atom::value, what);
}

void introduce_sink(host_pointer self, std::size_t place) {
  host_supervisor_state& state = self->state;
  state.sinks.start(self, place, state.host_chain);
  self->send(state.sinks.at(place), rekey_atom::value, state.resources->sealing);
  for (const auto& [id, record] : state.cells) {
    if (record.sink == place && record.supervisor) self->send(record.supervisor, state.sinks.at(place));
    if (record.sink == place && !record.admit_answer) watch_cell(self, record);
  }
}

/// Who dies before hearing of the key hears of it again when it is introduced.
void on_rekey(host_pointer self, const event_sealing_ptr& sealing) {
  host_supervisor_state& state = self->state;
  state.resources->sealing = sealing;
  if (state.host_chain) self->send(state.host_chain, rekey_atom::value, sealing);
  for (std::size_t place = 0; place < state.sinks.size(); ++place) {
    if (state.sinks.at(place)) self->send(state.sinks.at(place), rekey_atom::value, sealing);
  }
}

void on_sink_down(host_pointer self, std::size_t place, const caf::error& cause) {
  self->state.host->events.actor_failed("SINK", "", explanation(cause));
  if (self->state.sinks.may_restart(place, self->clock().now())) return introduce_sink(self, place);
  retry_after_pause(self);
}

void on_host_chain_down(host_pointer self, const caf::error& cause) {
  host_supervisor_state& state = self->state;
  state.host->events.actor_failed("HOST CHAIN", "", explanation(cause));
  state.host_chain = nullptr;
  if (state.host_chain_restarts.permit(self->clock().now())) return introduce_host_chain(self);
  state.host_chain_restarts.forgive();
  retry_after_pause(self);
}

/// With another CELL SUPERVISOR, which is asked what its predecessor was asked.
void go_on(host_pointer self, const std::string& id, cell_record& record) {
  start_cell(self, record);
  if (record.admit_answer) ask_to_admit(self, id);
  if (record.retiring) ask_to_retire(self, id);
}

void on_cell_down(host_pointer self, const std::string& id, cell_record& record, const caf::error& cause) {
  if (is_failure(cause, failure::cell_ended)) {  // its run is over; its answer came before this, or nobody had asked
    const cell_record gone = take_out(self->state, self->state.cells.find(id));
    if (gone.retired) gone.retired(make_failure(failure::unknown_cell, "cell " + id + " had ended on its own"));
    return;
  }
  self->state.host->events.actor_failed("CELL SUPERVISOR", id, explanation(cause));
  record.supervisor = nullptr;
  if (record.restarts.permit(self->clock().now())) return go_on(self, id, record);
  record.restarts.forgive();
  self->state.to_replace.insert(id);
  retry_after_pause(self);
}

void on_down(host_pointer self, const caf::down_msg& down) {
  host_supervisor_state& state = self->state;
  unmonitor_child(self, down.source);
  if (replace_probe_scheduler(self, down)) return;
  if (state.host_chain && down.source == state.host_chain) return on_host_chain_down(self, down.reason);
  if (const auto place = state.sinks.place_of(down.source)) return on_sink_down(self, *place, down.reason);
  const auto was = state.supervised.extract(down.source);
  if (was.empty()) return;
  const auto found = state.cells.find(was.mapped());
  // A cell that was forgotten may have been admitted again meanwhile.
  if (found == state.cells.end() || down.source != found->second.supervisor) return;
  on_cell_down(self, was.mapped(), found->second, down.reason);
}

void on_retry(host_pointer self) {
  host_supervisor_state& state = self->state;
  if (state.resources->host_chain != nullptr && !state.host_chain) introduce_host_chain(self);
  for (const std::size_t place : state.sinks.not_running()) introduce_sink(self, place);
  if (!state.probe_scheduler) start_probe_scheduler(self);
  for (const std::string& id : std::exchange(state.to_replace, {})) {
    const auto found = state.cells.find(id);
    if (found != state.cells.end() && !found->second.supervisor) go_on(self, id, found->second);
  }
}

}  // namespace

host_supervisor_actor::behavior_type make_host_supervisor(host_pointer self, std::size_t sinks,
                                                          host_resources* resources, const host_environment& host) {
  die_of_exceptions(self);
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  host_supervisor_state& state = self->state;
  state.host = &host;
  state.resources = resources;
  state.activity = host.activities.enter("HOST SUPERVISOR", "", self->address());
  state.host_chain_restarts = restart_intensity{host.limits};
  state.probe_scheduler_restarts = restart_intensity{host.limits};
  start_host_chain(self);
  state.sinks = sink_pool{sinks, *resources, host};
  for (std::size_t place = 0; place < state.sinks.size(); ++place) state.sinks.start(self, place, state.host_chain);
  start_probe_scheduler(self);
  return {
      [self](admit_atom, const cell_specification& wanted) { return on_admit(self, wanted); },
      [self](retire_atom, const std::string& cell_id) { return on_retire(self, cell_id); },
      [self](status_atom) { return on_status(self); },
      [self](rekey_atom, const event_sealing_ptr& sealing) { on_rekey(self, sealing); },
      [self](status_atom, const std::string& cell_id) { return ask_cell(self, cell_id); },
      [self](append_atom, const joint_append_ptr& what) { return on_append(self, what); },
      [self](accounts_atom) { return on_accounts(self); },
      [self](alive_atom) -> std::uint64_t { return self->state.cells.size(); },
      [self](stop_atom) { return on_stop(self); },
      [self](retry_atom) { on_retry(self); },
  };
}

}  // namespace cellos
