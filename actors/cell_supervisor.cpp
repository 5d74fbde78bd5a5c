// CELL SUPERVISOR: binds one cell's socket, opens its run, keeps LISTENER, DECODER and KEEPALIVE alive, and ends the
// run. Any of the three may die at any message: its successor takes over, and the LISTENER replays what is
// unacknowledged. A chunk at which two DECODERs died is set aside. Everything that must survive, this actor's own death
// included, is in the cell's resources.
//
//   admit:  bind -> run.v1.started in the log -> children -> answer
//   retire: drain the LISTENER -> run.v1.ended in the log -> socket gone -> answer -> quit

#include "actors/cell_supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "actors/decoder.hpp"
#include "actors/failure.hpp"
#include "actors/keepalive.hpp"
#include "actors/listener.hpp"
#include "actors/supervised_request.hpp"
#include "actors/supervision.hpp"

namespace cellos {

namespace {

using supervisor_pointer = cell_supervisor_actor::stateful_pointer<cell_supervisor_state>;

/// The log may be waiting for its disk; an orchestrator that waits longer than this has given up. Chosen here.
constexpr std::chrono::seconds sink_timeout{10};
/// The intake bounds how long it reads while draining; the rest is for decoding and the log. Chosen here.
constexpr std::chrono::seconds drain_timeout{20};
/// Pause before a step is tried again whose other actor is being replaced. Chosen here.
constexpr std::chrono::milliseconds retry_pause{20};

using step = run_lifecycle::step;

void start_decoder(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.decoder =
      monitor_child(self, self->spawn<caf::monitored>(make_decoder, state.cell->run, state.cell->decoder, state.sink,
                                                      state.cell->quarantined, std::cref(*state.host)));
  if (state.listener) self->send(state.listener, state.decoder);
  if (state.keepalive) self->send(state.keepalive, state.decoder);
}

void start_listener(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.listener = monitor_child(self, self->spawn<caf::monitored>(make_listener, state.cell->run, state.cell->intake,
                                                                   ++state.cell->listeners, std::cref(*state.host)));
  if (state.decoder) self->send(state.listener, state.decoder);
}

void start_keepalive(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.keepalive = monitor_child(
      self, self->spawn<caf::monitored>(make_keepalive, state.cell->run, state.cell->specification.keepalive_window,
                                        state.cell->decoder, state.decoder, state.sink, std::cref(*state.host)));
}

void start_missing_children(supervisor_pointer self) {
  const cell_supervisor_state& state = self->state;
  if (!state.listener) start_listener(self);
  if (!state.decoder) start_decoder(self);
  if (!state.keepalive) start_keepalive(self);
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

void retry_soon(supervisor_pointer self) { self->delayed_send(self, retry_pause, retry_atom::value); }

cell_status describe(const cell_resources& cell, const run_account& account, monotonic_time now) {
  const intake_counts seen = cell.intake->counts();
  cell_status status;
  status.cell_id = cell.run->cell_id;
  status.run_id = cell.run->run_id;
  status.chain = cell.chain;
  status.socket_path = cell.specification.socket_path();
  status.totals = account.totals;
  status.totals.received = account.received_before + seen.frames_received;
  status.totals.connections = seen.connections_accepted;
  status.connections_refused = seen.connections_refused;
  status.connections_open = seen.connections_open;
  status.socket_in_place = seen.file_in_place;
  status.bytes_received = seen.bytes_received;
  status.spec_signature_hash = cell.specification.spec_signature_hash;
  status.keepalive_window = cell.specification.keepalive_window;
  status.seen = cell.progress->seen();
  if (cell.recovered) {
    status.before = cell.recovered->totals;
    status.before.connections = 0;  // only this daemon's are counted
  }
  if (!account.silence_told) {
    const auto left = cell.specification.keepalive_window - (now - cell.decoder->last_accepted.load());
    status.silence_in = std::max(left, std::chrono::nanoseconds::zero());
  }
  if (account.last_frame != wall_time{}) status.last_frame = account.last_frame;
  status.state = account.silenced             ? cell_state::silenced
                 : seen.connections_open != 0 ? cell_state::connected
                                              : cell_state::listening;
  return status;
}

caf::error as_failure(const bind_refusal& refused) {
  return make_failure(refused.belongs_to_another ? failure::cell_conflict : failure::bind_failed, refused.explanation);
}

using status_answer = caf::typed_response_promise<cell_status>;

status_answer take_status_answer(supervisor_pointer self, std::uint64_t question) {
  return std::move(self->state.status_answers.extract(question).mapped());
}

void on_account(supervisor_pointer self, std::uint64_t question, const run_account& account) {
  status_answer answer = take_status_answer(self, question);
  const cell_resources& cell = *self->state.cell;
  if (cell.intake) {
    answer.deliver(describe(cell, account, self->clock().now()));
  } else {
    answer.deliver(make_failure(failure::stopping, "the cell is not bound"));
  }
}

/// Where the SINK dies, its successor is asked: see `on_new_sink`.
void ask_for_account(supervisor_pointer self, std::uint64_t question) {
  ask<run_account>(
      self, self->state.sink, sink_timeout,
      {.wanted = [self, question] { return self->state.status_answers.contains(question); },
       .answered = [self, question](const run_account& account) { on_account(self, question, account); },
       .failed = [self, question](const caf::error& cause) { take_status_answer(self, question).deliver(cause); }},
      totals_atom::value, self->state.cell->run);
}

void see_to_status(supervisor_pointer self, const status_answer& answer) {
  const std::uint64_t question = ++self->state.status_questions;
  self->state.status_answers.emplace(question, answer);
  ask_for_account(self, question);
}

status_answer on_status(supervisor_pointer self) {
  auto answer = self->make_response_promise<cell_status>();
  see_to_status(self, answer);
  return answer;
}

void take_step(supervisor_pointer self, step next);

void on_run_opened(supervisor_pointer self, const std::string& chain) {
  cell_supervisor_state& state = self->state;
  state.cell->chain = chain;
  const step next = state.lifecycle.opened();
  start_missing_children(self);
  state.host->events.cell_admitted(*state.cell->run, state.cell->specification.socket_path());
  for (const auto& answer : std::exchange(state.admit_answers, {})) see_to_status(self, answer);
  take_step(self, next);
}

void on_run_not_opened(supervisor_pointer self, const caf::error& cause) {
  cell_supervisor_state& state = self->state;
  // The run may yet be opened when the log recovers: whatever was begun is ended.
  caf::anon_send(state.sink, close_run_atom::value, state.cell->run, run_closing{run_end_reason::retired, 0, 0});
  state.cell->use(nullptr);
  state.lifecycle.not_opened();
  for (auto& answer : std::exchange(state.admit_answers, {})) {
    answer.deliver(make_failure(failure::no_answer, "the evidence log did not take " +
                                                        std::string{name_of(event_type::run_started)} + " (" +
                                                        explanation(cause) + "); see evidence_blocked"));
  }
}

/// A request that belongs to one attempt at a step, and is made again after a pause where its receiver died.
template <class Answer>
supervised_request<Answer> step_request(supervisor_pointer self, std::uint64_t attempt,
                                        std::function<void(Answer&)> answered,
                                        std::function<void(const caf::error&)> failed) {
  return {[self, attempt] { return self->state.lifecycle.is_current(attempt); }, std::move(answered), std::move(failed),
          [self] { retry_soon(self); }};
}

void open_run(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  const run_opening opening{state.host->daemon_version, state.cell->specification.keepalive_window,
                            state.cell->recovered, state.cell->progress->run(),
                            state.host->witness_of ? state.host->witness_of(state.cell->specification) : nullptr};
  auto request = step_request<std::string>(
      self, state.lifecycle.begin(step::open_run), [self](const std::string& chain) { on_run_opened(self, chain); },
      [self](const caf::error& cause) {
        // A predecessor of this actor had opened it: then it only takes time.
        const bool was_open = !self->state.cell->chain.empty();
        was_open ? retry_soon(self) : on_run_not_opened(self, cause);
      });
  ask(self, state.sink, sink_timeout, std::move(request), open_run_atom::value, state.cell->run, opening);
}

caf::result<cell_status> on_admit(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  if (state.lifecycle.is_live()) {
    // Whoever asks is promised that guests find the socket.
    if (const auto refused = state.cell->intake->ensure_bound()) return as_failure(*refused);
    return on_status(self);
  }
  if (!state.cell->intake) {
    telemetry_sockets::binding bound = state.host->sockets.bind(state.cell->specification);
    if (!bound.intake) return as_failure(bound.refusal);
    state.cell->decoder->last_accepted = self->clock().now();
    state.cell->use(std::move(bound.intake));
    open_run(self);
  }
  auto answer = self->make_response_promise<cell_status>();
  state.admit_answers.push_back(answer);
  return answer;
}

/// The end, whatever led to it. The reason it quits with keeps the HOST SUPERVISOR from replacing this actor.
void finish(supervisor_pointer self, caf::expected<run_totals> totals) {
  cell_supervisor_state& state = self->state;
  state.lifecycle.ended();
  stop_children(self);
  if (totals) {
    cell_status last = describe(*state.cell, {}, self->clock().now());
    last.totals = *totals;
    state.cell->at_the_end = std::move(last);
  }
  state.cell->use(nullptr);
  if (totals) state.host->events.cell_retired(*state.cell->run, *totals);
  if (auto answer = std::exchange(state.retire_answer, std::nullopt)) {
    totals ? answer->deliver(*totals) : answer->deliver(totals.error());
  }
  // The SINK's answers to these would find nobody.
  for (auto& [question, answer] : std::exchange(state.status_answers, {})) {
    answer.deliver(make_failure(failure::unknown_cell, "cell " + state.cell->run->cell_id + " is gone"));
  }
  self->quit(make_failure(failure::cell_ended, "the run is over"));
}

void close_run(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  state.cell->closing = true;
  const intake_counts seen = state.cell->intake->counts();
  const run_closing closing{state.end_reason, seen.frames_received, seen.connections_accepted};
  auto request = step_request<run_totals>(
      self, state.lifecycle.begin(step::close_run), [self](const run_totals& totals) { finish(self, totals); },
      [self](const caf::error& cause) {
        const std::string why =
            std::string{name_of(event_type::run_ended)} + " is not in the log: " + explanation(cause);
        self->state.host->events.cell_not_drained(*self->state.cell->run, why);
        finish(self, make_failure(failure::no_answer, why));
      });
  ask(self, state.sink, sink_timeout, std::move(request), close_run_atom::value, state.cell->run, closing);
}

void drain(supervisor_pointer self) {
  const std::uint64_t attempt = self->state.lifecycle.begin(step::drain);
  if (!self->state.listener) return retry_soon(self);
  auto request = step_request<std::uint64_t>(
      self, attempt, [self](std::uint64_t) { close_run(self); },
      [self](const caf::error& cause) {
        self->state.host->events.cell_not_drained(*self->state.cell->run, explanation(cause));
        close_run(self);
      });
  ask(self, self->state.listener, drain_timeout, std::move(request), drain_atom::value);
}

void take_step(supervisor_pointer self, step next) {
  switch (next) {
    case step::none: return;
    case step::open_run: return open_run(self);
    case step::start_children: return start_missing_children(self);
    case step::drain: return drain(self);
    case step::close_run: return close_run(self);
  }
}

caf::result<run_totals> on_retire(supervisor_pointer self, run_end_reason reason) {
  cell_supervisor_state& state = self->state;
  if (!state.lifecycle.may_retire()) return make_failure(failure::stopping, "the cell is ending already");
  state.retire_answer = self->make_response_promise<run_totals>();
  state.end_reason = reason;
  const auto answer = *state.retire_answer;
  take_step(self, state.lifecycle.retire());
  return answer;
}

/// Past the restart limits. The daemon and the other cells never notice.
void fail_cell(supervisor_pointer self, const char* role) {
  cell_supervisor_state& state = self->state;
  const bool keep = state.cell->specification.on_agent_failure == agent_failure_policy::report;
  state.host->events.cell_failed(state.cell->run->cell_id, role,
                                 keep ? "tried again after a pause" : "the cell is retired");
  if (keep || !state.lifecycle.is_live()) {
    state.restarts.forgive();
    self->delayed_send(self, state.host->limits.pause, retry_atom::value);
    return;
  }
  state.end_reason = run_end_reason::cell_failed;
  close_run(self);
}

/// `handle` is the dead child's; `start` makes its successor.
template <class Handle, class Start>
void replace(supervisor_pointer self, Handle& handle, const char* role, const caf::error& cause, Start start) {
  cell_supervisor_state& state = self->state;
  handle = nullptr;
  state.host->events.actor_failed(role, state.cell->run->cell_id, explanation(cause));
  if (state.restarts.permit(self->clock().now())) return start(self);
  fail_cell(self, role);
}

/// The second DECODER that dies at one chunk quarantines it.
void check_chunk(supervisor_pointer self) {
  cell_supervisor_state& state = self->state;
  const std::uint64_t culprit = state.cell->decoder->decoding.exchange(0);
  if (culprit == 0 || std::exchange(state.suspect, culprit) != culprit) return;
  state.suspect = 0;
  const chunk_ptr chunk = state.cell->intake ? state.cell->intake->unacknowledged(culprit) : nullptr;
  if (!chunk) return;
  const auto file = state.host->quarantine.set_aside(state.cell->run->cell_id, *chunk);
  state.host->events.chunk_quarantined(*state.cell->run, chunk->frames, file.value_or("(not written)"));
  std::erase_if(state.cell->quarantined,
                [&](const auto& known) { return !state.cell->intake->unacknowledged(known.sequence); });
  state.cell->quarantined.push_back({culprit, chunk->frames, file.value_or("")});
}

void on_down(supervisor_pointer self, const caf::down_msg& down) {
  cell_supervisor_state& state = self->state;
  if (down.source == state.host_supervisor) return self->quit(caf::exit_reason::user_shutdown);
  unmonitor_child(self, down.source);
  if (down.source == state.listener) {
    replace(self, state.listener, "LISTENER", down.reason, start_listener);
    if (state.lifecycle.waits_for_listener()) retry_soon(self);
  } else if (down.source == state.decoder) {
    check_chunk(self);
    replace(self, state.decoder, "DECODER", down.reason, start_decoder);
  } else if (down.source == state.keepalive) {
    replace(self, state.keepalive, "KEEPALIVE", down.reason, start_keepalive);
  }
}

void on_retry(supervisor_pointer self) {
  // A drain goes to the LISTENER, and needs what it sends to be decoded.
  if (self->state.lifecycle.waits_for_listener()) start_missing_children(self);
  take_step(self, self->state.lifecycle.again());
}

void on_new_sink(supervisor_pointer self, const sink_actor& successor) {
  cell_supervisor_state& state = self->state;
  state.sink = successor;
  if (state.decoder) self->send(state.decoder, successor);
  if (state.keepalive) self->send(state.keepalive, successor);
  if (state.listener) self->send(state.listener, replay_atom::value);
  for (const auto& [question, answer] : state.status_answers) ask_for_account(self, question);
  if (state.lifecycle.waits_for_sink()) retry_soon(self);
}

}  // namespace

cell_supervisor_actor::behavior_type make_cell_supervisor(supervisor_pointer self, cell_resources_ptr cell,
                                                          sink_actor sink, caf::actor_addr host_supervisor,
                                                          const host_environment& host) {
  die_of_exceptions(self);
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  self->state.cell = std::move(cell);
  self->state.sink = std::move(sink);
  self->state.host = &host;
  self->state.host_supervisor = std::move(host_supervisor);
  self->state.restarts = restart_intensity{host.limits};
  self->state.activity = host.activities.enter("CELL SUPERVISOR", self->state.cell->run->cell_id, self->address());
  // A predecessor died after binding: the socket is there, and the run is open or about to be.
  if (self->state.cell->closing) {
    close_run(self);
  } else if (self->state.cell->intake) {
    open_run(self);
  }
  return {
      [self](admit_atom) { return on_admit(self); },
      [self](retire_atom, run_end_reason reason) { return on_retire(self, reason); },
      [self](status_atom) { return on_status(self); },
      [self](const sink_actor& successor) { on_new_sink(self, successor); },
      [self](retry_atom) { on_retry(self); },
  };
}

}  // namespace cellos
