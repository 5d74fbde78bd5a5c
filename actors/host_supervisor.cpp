// HOST SUPERVISOR: admits and retires cells, each under a CELL SUPERVISOR of its own, and owns the SINKs, over which cells
// are spread by name. It replaces a CELL SUPERVISOR or a SINK that died; what they worked on (estate, journal) lives here.
// A refused cell costs the others nothing.

#include "actors/host_supervisor.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "actors/failure.hpp"
#include "actors/sink.hpp"
#include "actors/supervision.hpp"
#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

using host_pointer = host_supervisor_actor::stateful_pointer<host_supervisor_state>;
using cell_record = host_supervisor_state::cell_record;
using sink_record = host_supervisor_state::sink_record;

/// A CELL SUPERVISOR bounds its own steps; these only catch one that hangs. Ours.
constexpr std::chrono::seconds admit_patience{15};
constexpr std::chrono::seconds retire_patience{45};
constexpr std::chrono::seconds status_patience{5};

constexpr auto child = caf::linked + caf::monitored;

void start_sink(host_pointer self, sink_record& sink) {
  sink.actor = self->spawn<child>(make_sink, sink.journal, std::cref(*self->state.host));
}

void start_cell(host_pointer self, cell_record& record) {
  record.supervisor = self->spawn<child>(make_cell_supervisor, record.cell, self->state.sinks[record.sink].actor,
                                         std::cref(*self->state.host));
}

cell_estate_ptr make_estate(const std::string& host_id, cell_specification specification) {
  auto cell = std::make_shared<cell_estate>();
  cell->run = std::make_shared<const host_stamp>(host_stamp{host_id, specification.cell_id, specification.run_id,
                                                            specification.spec_signature_hash});
  cell->specification = std::move(specification);
  return cell;
}

/// Why a new cell cannot be admitted beside the ones there are; empty if it can.
std::string conflict(const host_supervisor_state& state, const cell_specification& wanted) {
  for (const auto& [id, record] : state.cells) {
    if (id != wanted.cell_id && record.cell->specification.socket_path() == wanted.socket_path()) {
      return "socket " + escaped(wanted.socket_path(), 128) + " belongs to cell " + id +
             "; give each cell its own vsock_uds_base";
    }
  }
  return {};
}

caf::result<cell_status> admit_again(host_pointer self, const cell_record& record, const cell_specification& wanted) {
  if (record.retiring) {
    return make_failure(failure::stopping, "cell " + wanted.cell_id + " is being retired; try again when it is gone");
  }
  if (record.cell->specification != wanted) {
    return make_failure(failure::cell_conflict, "cell " + wanted.cell_id +
                                                    " is live with another specification; retire it first");
  }
  return self->delegate(record.supervisor, admit_atom::value);
}

void forget(host_pointer self, const std::string& cell_id) {
  const auto record = self->state.cells.find(cell_id);
  if (record == self->state.cells.end()) return;
  const cell_supervisor_actor supervisor = record->second.supervisor;
  self->state.cells.erase(record);
  self->send_exit(supervisor, caf::exit_reason::user_shutdown);
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
  record.cell = make_estate(state.host->host_id, wanted);
  record.sink = std::hash<std::string>{}(wanted.cell_id) % state.sinks.size();
  start_cell(self, record);
  const cell_supervisor_actor supervisor = record.supervisor;
  state.cells.emplace(wanted.cell_id, std::move(record));

  auto answer = self->make_response_promise<cell_status>();
  self->request(supervisor, admit_patience, admit_atom::value)
      .then([answer](const cell_status& admitted) mutable { answer.deliver(admitted); },
            [self, answer, id = wanted.cell_id](const caf::error& cause) mutable {
              self->state.host->events.cell_refused(id, explanation(cause));
              forget(self, id);
              answer.deliver(cause);
            });
  return answer;
}

/// Retires one cell and calls `done` with its books, or with nothing if it did not end cleanly.
template <class Done>
void retire(host_pointer self, cell_record& record, run_end_reason reason, Done done) {
  record.retiring = true;
  self->request(record.supervisor, retire_patience, retire_atom::value, reason)
      .then(
          [self, done, id = record.cell->specification.cell_id](const run_totals& totals) mutable {
            self->state.cells.erase(id);
            done(caf::expected<run_totals>{totals});
          },
          [self, done, id = record.cell->specification.cell_id](const caf::error& cause) mutable {
            forget(self, id);
            done(caf::expected<run_totals>{cause});
          });
}

caf::result<run_totals> on_retire(host_pointer self, const std::string& cell_id) {
  const auto record = self->state.cells.find(cell_id);
  if (record == self->state.cells.end()) {
    return make_failure(failure::unknown_cell, "no cell " + escaped(cell_id) + " is admitted");
  }
  if (record->second.retiring) return make_failure(failure::stopping, "cell " + cell_id + " is being retired");
  auto answer = self->make_response_promise<run_totals>();
  retire(self, record->second, run_end_reason::retired,
         [answer](const caf::expected<run_totals>& totals) mutable {
           totals ? answer.deliver(*totals) : answer.deliver(totals.error());
         });
  return answer;
}

/// Gathers one status a cell; a cell that does not answer in time is left out.
struct status_collection {
  caf::typed_response_promise<std::vector<cell_status>> answer;
  std::vector<cell_status> cells;
  std::size_t waiting = 0;

  void one_less() {
    if (--waiting > 0) return;
    std::sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.cell_id < b.cell_id; });
    answer.deliver(std::move(cells));
  }
};

caf::result<std::vector<cell_status>> on_status(host_pointer self) {
  const auto& cells = self->state.cells;
  if (cells.empty()) return std::vector<cell_status>{};
  auto collection = std::make_shared<status_collection>();
  collection->answer = self->make_response_promise<std::vector<cell_status>>();
  collection->waiting = cells.size();
  for (const auto& [id, record] : cells) {
    self->request(record.supervisor, status_patience, status_atom::value)
        .then(
            [collection](const cell_status& status) {
              collection->cells.push_back(status);
              collection->one_less();
            },
            [collection](const caf::error&) { collection->one_less(); });
  }
  return collection->answer;
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
  for (auto& [id, record] : state.cells) {
    if (record.retiring) {  // its own retirement goes on; whoever asked for it hears the books
      one_cell_ended(self, true);
      continue;
    }
    retire(self, record, run_end_reason::daemon_stopped, [self](const caf::expected<run_totals>& totals) {
      one_cell_ended(self, totals && totals->in_flight() == 0);
    });
  }
  return *state.stop_answer;
}

void on_sink_down(host_pointer self, std::size_t index) {
  host_supervisor_state& state = self->state;
  start_sink(self, state.sinks[index]);
  for (const auto& [id, record] : state.cells) {
    if (record.sink == index) self->send(record.supervisor, state.sinks[index].actor);
  }
}

void on_down(host_pointer self, const caf::down_msg& down) {
  host_supervisor_state& state = self->state;
  for (std::size_t i = 0; i < state.sinks.size(); ++i) {
    if (down.source != state.sinks[i].actor) continue;
    state.host->events.actor_failed("SINK", "", explanation(down.reason));
    return on_sink_down(self, i);
  }
  for (auto& [id, record] : state.cells) {
    if (down.source != record.supervisor || record.retiring) continue;
    state.host->events.actor_failed("CELL SUPERVISOR", id, explanation(down.reason));
    return start_cell(self, record);
  }
}

void on_exit(host_pointer self, const caf::exit_msg& exit) {
  const host_supervisor_state& state = self->state;
  const bool from_sink = std::any_of(state.sinks.begin(), state.sinks.end(),
                                     [&](const sink_record& sink) { return exit.source == sink.actor; });
  const bool from_cell = std::any_of(state.cells.begin(), state.cells.end(), [&](const auto& entry) {
    return exit.source == entry.second.supervisor;
  });
  if (!from_sink && !from_cell && exit.reason) self->quit(exit.reason);
}

}  // namespace

host_supervisor_actor::behavior_type make_host_supervisor(host_pointer self, std::size_t sinks,
                                                          const host_environment& host) {
  die_of_exceptions(self);
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) { on_exit(self, exit); });
  self->state.host = &host;
  self->state.sinks.resize(std::max<std::size_t>(sinks, 1));
  for (sink_record& sink : self->state.sinks) {
    sink.journal = std::make_shared<sink_journal>(host.log, host.clock);
    start_sink(self, sink);
  }
  return {
      [self](admit_atom, const cell_specification& wanted) { return on_admit(self, wanted); },
      [self](retire_atom, const std::string& cell_id) { return on_retire(self, cell_id); },
      [self](status_atom) { return on_status(self); },
      [self](stop_atom) { return on_stop(self); },
  };
}

}  // namespace cellos
