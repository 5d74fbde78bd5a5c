// CELL SUPERVISOR: binds one cell's socket, opens its run, keeps LISTENER, DECODER and KEEPALIVE alive, and ends the run.
// Any of the three may die at any message: its successor takes over, and the LISTENER replays what is unacknowledged.
// Everything that must survive, this actor's own death included, is in the cell's estate.
//
//   admit:  bind -> run.v1.started in the log -> children -> answer
//   retire: drain the LISTENER -> run.v1.ended in the log -> socket gone -> answer -> quit

#include "actors/cell_supervisor.hpp"

#include <utility>

#include "actors/decoder.hpp"
#include "actors/failure.hpp"
#include "actors/keepalive.hpp"
#include "actors/listener.hpp"
#include "actors/supervision.hpp"

namespace cellos {

namespace {

using supervisor_pointer = cell_supervisor_actor::stateful_pointer<cell_supervisor_state>;

/// The log may be waiting for its disk; an orchestrator that waits longer than this has given up. Ours.
constexpr std::chrono::seconds sink_patience{10};
/// The intake bounds how long it reads while draining; the rest is for decoding and the log. Ours.
constexpr std::chrono::seconds drain_patience{20};
constexpr std::chrono::milliseconds drain_retry_pause{20};

constexpr auto child = caf::linked + caf::monitored;

void start_decoder(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.decoder = self->spawn<child>(make_decoder, state.cell, state.sink);
  self->send(state.listener, state.decoder);
  if (state.keepalive) self->send(state.keepalive, state.decoder);
}

void start_listener(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.listener = self->spawn<child>(make_listener, state.cell);
  if (state.decoder) self->send(state.listener, state.decoder);
}

void start_keepalive(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.keepalive = self->spawn<child>(make_keepalive, state.cell, state.decoder, state.sink);
}

void start_children(supervisor_pointer self) {
  start_listener(self);
  start_decoder(self);
  start_keepalive(self);
}

void stop_children(supervisor_pointer self) {
  const auto stop = [self](auto& handle) {
    if (handle) self->send_exit(handle, caf::exit_reason::user_shutdown);
    handle = nullptr;
  };
  stop(self->state.keepalive);
  stop(self->state.decoder);
  stop(self->state.listener);
}

cell_status describe(const cell_estate& cell, const run_account& account) {
  const intake_counts seen = cell.intake->counts();
  cell_status status;
  status.cell_id = cell.run->cell_id;
  status.run_id = cell.run->run_id;
  status.chain = cell.chain;
  status.socket_path = cell.specification.socket_path();
  status.totals = account.totals;
  status.totals.received = seen.frames_received;
  status.totals.connections = seen.connections_accepted;
  status.connections_refused = seen.connections_refused;
  if (account.last_frame != wall_time{}) status.last_frame = account.last_frame;
  status.state = account.silenced             ? cell_state::silenced
                 : seen.connections_open != 0 ? cell_state::connected
                                              : cell_state::listening;
  return status;
}

void answer_status(supervisor_pointer self, caf::typed_response_promise<cell_status> answer) {
  self->request(self->state.sink, sink_patience, totals_atom::value, self->state.cell->run)
      .then([self, answer](const run_account& account) mutable { answer.deliver(describe(*self->state.cell, account)); },
            [answer](const caf::error& cause) mutable { answer.deliver(cause); });
}

caf::typed_response_promise<cell_status> on_status(supervisor_pointer self) {
  auto answer = self->make_response_promise<cell_status>();
  answer_status(self, answer);
  return answer;
}

void on_run_opened(supervisor_pointer self, const std::string& chain) {
  cell_supervisor_state& state = self->state;
  state.cell->chain = chain;
  start_children(self);
  state.host->events.cell_admitted(*state.cell->run, state.cell->specification.socket_path());
  for (const auto& answer : std::exchange(state.admit_answers, {})) answer_status(self, answer);
}

void on_run_not_opened(supervisor_pointer self, const caf::error& cause) {
  cell_supervisor_state& state = self->state;
  // The run may yet be opened when the log recovers: whatever was begun is ended.
  caf::anon_send(state.sink, close_run_atom::value, state.cell->run, run_closing{run_end_reason::retired, 0, 0});
  state.cell->intake = nullptr;
  for (auto& answer : std::exchange(state.admit_answers, {})) {
    answer.deliver(make_failure(failure::no_answer, "the evidence log did not take run.v1.started (" +
                                                        explanation(cause) + "); see evidence_blocked"));
  }
}

void open_run(supervisor_pointer self) {
  const cell_supervisor_state& state = self->state;
  const run_opening opening{state.host->daemon_version, state.cell->specification.keepalive_window};
  self->request(state.sink, sink_patience, open_run_atom::value, state.cell->run, opening)
      .then([self](const std::string& chain) { on_run_opened(self, chain); },
            [self](const caf::error& cause) { on_run_not_opened(self, cause); });
}

caf::typed_response_promise<cell_status> on_admit(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  auto answer = self->make_response_promise<cell_status>();
  if (state.listener) {
    answer_status(self, answer);
    return answer;
  }
  if (!state.cell->intake) {
    telemetry_sockets::binding bound = state.host->sockets.bind(state.cell->specification);
    if (!bound.intake) {
      answer.deliver(make_failure(failure::bind_failed, std::move(bound.refusal.explanation)));
      return answer;
    }
    state.cell->intake = std::move(bound.intake);
    state.cell->last_accepted = self->clock().now();
    open_run(self);
  }
  state.admit_answers.push_back(answer);
  return answer;
}

void finish(supervisor_pointer self, const run_totals& totals) {
  cell_supervisor_state& state = self->state;
  stop_children(self);
  state.cell->intake = nullptr;
  state.host->events.cell_retired(*state.cell->run, totals);
  std::exchange(state.retire_answer, std::nullopt)->deliver(totals);
  self->quit();
}

void close_run(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  const intake_counts seen = state.cell->intake->counts();
  const run_closing closing{state.end_reason, seen.frames_received, seen.connections_accepted};
  self->request(state.sink, sink_patience, close_run_atom::value, state.cell->run, closing)
      .then([self](const run_totals& totals) { finish(self, totals); },
            [self](const caf::error& cause) {
              const host_stamp& run = *self->state.cell->run;
              self->state.host->events.cell_not_drained(run, "run.v1.ended not in the log: " + explanation(cause));
              stop_children(self);
              self->state.cell->intake = nullptr;
              std::exchange(self->state.retire_answer, std::nullopt)
                  ->deliver(make_failure(failure::no_answer, "run.v1.ended is not in the log: " + explanation(cause)));
              self->quit();
            });
}

void drain(supervisor_pointer self) {
  self->request(self->state.listener, drain_patience, drain_atom::value)
      .then([self](std::uint64_t) { close_run(self); },
            [self](const caf::error& cause) {
              if (cause == caf::sec::request_receiver_down) {
                self->delayed_send(self, drain_retry_pause, drain_atom::value);
                return;
              }
              self->state.host->events.cell_not_drained(*self->state.cell->run, explanation(cause));
              close_run(self);
            });
}

caf::result<run_totals> on_retire(supervisor_pointer self, run_end_reason reason) {
  cell_supervisor_state& state = self->state;
  if (state.retire_answer) return make_failure(failure::stopping, "the cell is being retired");
  if (!state.listener) return make_failure(failure::unknown_cell, "the cell was not admitted");
  state.retire_answer = self->make_response_promise<run_totals>();
  state.end_reason = reason;
  drain(self);
  return *state.retire_answer;
}

void on_down(supervisor_pointer self, const caf::down_msg& down) {
  cell_supervisor_state& state = self->state;
  const auto died = [&](const char* role, auto start) {
    state.host->events.actor_failed(role, state.cell->run->cell_id, explanation(down.reason));
    start(self);
  };
  if (down.source == state.listener) {
    died("LISTENER", start_listener);
  } else if (down.source == state.decoder) {
    died("DECODER", start_decoder);
  } else if (down.source == state.keepalive) {
    died("KEEPALIVE", start_keepalive);
  }
}

void on_exit(supervisor_pointer self, const caf::exit_msg& exit) {
  const cell_supervisor_state& state = self->state;
  const bool from_child =
      exit.source == state.listener || exit.source == state.decoder || exit.source == state.keepalive;
  if (!from_child) self->quit(exit.reason);
}

void on_new_sink(supervisor_pointer self, const sink_actor& successor) {
  cell_supervisor_state& state = self->state;
  state.sink = successor;
  if (!state.listener) return;
  self->send(state.decoder, successor);
  self->send(state.keepalive, successor);
  self->send(state.listener, replay_atom::value);
}

}  // namespace

cell_supervisor_actor::behavior_type make_cell_supervisor(supervisor_pointer self, cell_estate_ptr cell,
                                                          sink_actor sink, const host_environment& host) {
  die_of_exceptions(self);
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) { on_exit(self, exit); });
  self->state.cell = std::move(cell);
  self->state.sink = std::move(sink);
  self->state.host = &host;
  // A predecessor died after binding: everything is there but the children.
  if (self->state.cell->intake) start_children(self);
  return {
      [self](admit_atom) { return on_admit(self); },
      [self](retire_atom, run_end_reason reason) { return on_retire(self, reason); },
      [self](status_atom) { return on_status(self); },
      [self](const sink_actor& successor) { on_new_sink(self, successor); },
      [self](drain_atom) { drain(self); },
  };
}

}  // namespace cellos
