// SINK, last on the data path. In: batches, silences, runs opened and closed. Out: lines in the evidence log, then
// acknowledgements. Batches queue by run and are served in fair turns, a bounded piece a message, so that neither a
// flooding cell nor all of them together keep a question or a quiet cell waiting. Lines gather and are written
// together; nothing is acknowledged before it is written. Lines with which a run begins or ends are appended by the
// HOST CHAIN, which is asked and not waited for: other messages are served meanwhile. When the log takes nothing, or a
// cell is over its share of it, batches wait unprojected, credit runs out and reading stops: the guest feels it, nobody
// loses. What a cell goes on sending beyond its share is refused. A batch that is not attributed to the run whose
// DECODER made it is nobody's: its chunk is set aside. What must survive this actor's death is in the journal.

#include "actors/sink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/failure.hpp"
#include "actors/sink_flush.hpp"
#include "actors/supervision.hpp"

namespace cellos {

namespace {

/// At most one summary of losses a run in this time, however much a guest does wrong. Chosen here.
constexpr std::chrono::seconds summary_interval{1};
/// How often a cell that is held back is looked at again. Chosen here.
constexpr std::chrono::milliseconds hold_pause{50};
/// Events made before the mailbox has its turn, where each costs a signature (20 to 50 us) and where it does not: some
/// milliseconds. Chosen here.
constexpr std::uint64_t signed_events_a_turn = 64;
constexpr std::uint64_t plain_events_a_turn = 4096;

void schedule_summary(sink_pointer self) {
  self->state.tick_scheduled = true;
  self->delayed_send(self, summary_interval, tick_atom::value);
}

void schedule_checkpoint(sink_pointer self) {
  if (std::exchange(self->state.checkpoint_scheduled, true)) return;
  self->delayed_send(self, self->state.journal->checkpoint_interval(), checkpoint_atom::value);
}

run_ledger::result set_aside(sink_pointer self, const host_stamp_ptr& run, const batch& refused) {
  const host_environment& host = *self->state.host;
  const received_chunk& chunk = *refused.chunk;
  const auto file = host.quarantine.set_aside(run->cell_id, chunk);
  host.events.attribution_refused(*run, refused.attribution, chunk.frames, file.value_or("(not written)"));
  return self->state.journal->quarantine(run, {chunk.sequence, chunk.frames, file.value_or("")}, self->clock().now());
}

run_ledger::result enter(sink_pointer self, const sink_state::arrival& arrived, std::uint64_t most_declarations) {
  sink_journal& journal = *self->state.journal;
  const monotonic_time now = self->clock().now();
  const auto* decoded = std::get_if<batch_ptr>(&arrived.what);
  if (decoded == nullptr) return journal.quarantine(arrived.run, std::get<quarantined_chunk>(arrived.what), now);
  const auto taken = journal.take(arrived.run, **decoded, now, most_declarations);
  return taken == run_ledger::result::misattributed ? set_aside(self, arrived.run, **decoded) : taken;
}

std::uint64_t sequence_of(const sink_state::arrival& arrived) {
  if (const auto* decoded = std::get_if<batch_ptr>(&arrived.what)) return (*decoded)->chunk->sequence;
  return std::get<quarantined_chunk>(arrived.what).sequence;
}

void record_found(sink_pointer self, const host_stamp_ptr& run) {
  for (const recorded_contradiction& each : self->state.journal->record_found(run)) {
    self->state.host->events.contradiction_found(*run, each);
  }
}

/// Timers for what an arrival leaves to be done. Asks only the run at hand: most batches of most runs lose nothing.
void see_to_it_later(sink_pointer self, const host_stamp_ptr& run) {
  sink_state& state = self->state;
  if (!state.tick_scheduled && state.journal->has_losses(run)) schedule_summary(self);
  if (!state.checkpoint_scheduled && state.journal->has_unsigned(run)) schedule_checkpoint(self);
}

void process(sink_pointer self, const sink_state::arrival& arrived, std::uint64_t most_declarations) {
  sink_state& state = self->state;
  switch (enter(self, arrived, most_declarations)) {
    case run_ledger::result::gap: arrived.credit->replay(); return;
    case run_ledger::result::taken_and_resumed: state.host->events.agent_resumed(*arrived.run); break;
    case run_ledger::result::misattributed:
    case run_ledger::result::duplicate:
    case run_ledger::result::taken: break;
  }
  state.due_acknowledgements.push_back({state.journal->bytes_made(), {arrived.credit, sequence_of(arrived)}});
  record_found(self, arrived.run);
  see_to_it_later(self, arrived.run);
}

void take_silence(sink_pointer self, const host_stamp_ptr& run, const agent_silenced& silence) {
  if (!self->state.journal->silence(run, silence)) return;
  self->state.host->events.agent_silenced(*run, silence);
  record_found(self, run);
}

void take_reading(sink_pointer self, const host_stamp_ptr& run, const probe_reading& reading) {
  self->state.journal->reading(run, reading, self->clock().now());
  record_found(self, run);
  if (!self->state.checkpoint_scheduled && self->state.journal->has_unsigned(run)) schedule_checkpoint(self);
}

log_share::allowance allowance_of(sink_pointer self, const sink_state::work& work) {
  const auto* arrived = std::get_if<sink_state::arrival>(&work);
  const auto* decoded = arrived != nullptr ? std::get_if<batch_ptr>(&arrived->what) : nullptr;
  return decoded != nullptr ? self->state.journal->allowance(arrived->run, **decoded, self->clock().now())
                            : log_share::allowance{};
}

void serve(sink_pointer self, const host_stamp_ptr& run, const sink_state::work& work, std::uint64_t declarations) {
  if (const auto* silence = std::get_if<agent_silenced>(&work)) return take_silence(self, run, *silence);
  if (const auto* reading = std::get_if<probe_reading_ptr>(&work)) return take_reading(self, run, **reading);
  process(self, std::get<sink_state::arrival>(work), declarations);
}

void schedule_look_at_held(sink_pointer self) {
  if (!std::exchange(self->state.hold_scheduled, true)) self->delayed_send(self, hold_pause, retry_atom::value);
}

/// Answers with what it cost: a cell that is held back has its turn for nothing.
std::uint64_t serve_next(sink_pointer self, std::uint64_t quantum) {
  sink_state& state = self->state;
  const auto& next = state.turns.next(quantum);
  const log_share::allowance allowed = allowance_of(self, next.work);
  if (allowed.held) {
    state.turns.set_aside();
    schedule_look_at_held(self);
    return 0;
  }
  const host_stamp_ptr run = state.turns.owner();
  // What is refused is not made.
  const std::uint64_t cost = std::min(next.cost - 1, allowed.declarations) + 1;
  const auto taken = state.turns.take(cost);
  serve(self, run, taken.work, allowed.declarations);
  return cost;
}

/// Whatever is left waits for the next message, and so do the lines, unless there are many: written together they cost
/// the log least.
void on_turn(sink_pointer self) {
  sink_state& state = self->state;
  const activity::mark busy{*state.activity};
  state.turn_scheduled = false;
  const std::uint64_t most = state.journal->signs_each_event() ? signed_events_a_turn : plain_events_a_turn;
  for (std::uint64_t spent = 0; spent < most && takes_more(state) && state.turns.ready();) {
    spent += serve_next(self, most);
    if (state.journal->pending_bytes() >= sink_flush_bytes) flush(self);
  }
  if (!state.turns.ready()) schedule_flush(self);
  schedule_turn(self);
}

void on_look_at_held(sink_pointer self) {
  self->state.hold_scheduled = false;
  self->state.turns.bring_back();
  schedule_turn(self);
}

std::uint64_t cost_of(const sink_state::work& work) {
  const auto* arrived = std::get_if<sink_state::arrival>(&work);
  const auto* decoded = arrived != nullptr ? std::get_if<batch_ptr>(&arrived->what) : nullptr;
  return 1 + (decoded != nullptr ? (*decoded)->declarations.size() : 0);
}

void queue(sink_pointer self, const host_stamp_ptr& run, sink_state::work work) {
  const std::uint64_t cost = cost_of(work);
  self->state.turns.push(run, cost, std::move(work));
  schedule_turn(self);
}

void on_arrival(sink_pointer self, sink_state::arrival arrived) {
  const host_stamp_ptr run = arrived.run;
  queue(self, run, std::move(arrived));
}

void answer_when_written(sink_pointer self, std::function<void()> answer) {
  self->state.due_answers.push_back({self->state.journal->bytes_made(), std::move(answer)});
}

caf::typed_response_promise<std::string> on_open_run(sink_pointer self, const host_stamp_ptr& run,
                                                     const run_opening& opening) {
  auto answer = self->make_response_promise<std::string>();
  const std::string& chain = self->state.journal->open_run(run, opening);
  answer_when_written(self, [answer, chain]() mutable { answer.deliver(chain); });
  if (!self->state.blocked) flush(self);
  return answer;
}

void on_silence(sink_pointer self, const host_stamp_ptr& run, const agent_silenced& silence) {
  if (self->state.turns.waits(run)) return queue(self, run, silence);
  take_silence(self, run, silence);
  schedule_flush(self);
}

/// Nothing waits for a log that takes nothing: what is read again and again would have no bound.
void on_reading(sink_pointer self, const host_stamp_ptr& run, const probe_reading_ptr& reading) {
  sink_state& state = self->state;
  const activity::mark busy{*state.activity};
  if (state.blocked) return;
  if (state.turns.waits(run)) return queue(self, run, reading);
  take_reading(self, run, *reading);
  schedule_flush(self);
}

caf::typed_response_promise<run_totals> on_close_run(sink_pointer self, const host_stamp_ptr& run,
                                                     const run_closing& closing) {
  auto answer = self->make_response_promise<run_totals>();
  // Bounded by the cell's credit. Nothing is held back: there is no later.
  for (const auto& each : self->state.turns.take_all(run)) {
    serve(self, run, each.work, allowance_of(self, each.work).declarations);
  }
  const run_totals totals = self->state.journal->close_run(run, closing);
  answer_when_written(self, [answer, totals]() mutable { answer.deliver(totals); });
  if (!self->state.blocked) flush(self);
  return answer;
}

void on_tick(sink_pointer self) {
  sink_state& state = self->state;
  state.tick_scheduled = false;
  state.journal->summarise_losses(self->clock().now(), [&](const host_stamp& run, const refusal_counts& kinds) {
    state.host->events.frames_refused(run, kinds);
  });
  state.journal->record_all_found([&](const host_stamp& run, const recorded_contradiction& each) {
    state.host->events.contradiction_found(run, each);
  });
  if (state.journal->has_losses()) schedule_summary(self);
  if (state.journal->has_unsigned()) schedule_checkpoint(self);
  schedule_flush(self);
}

/// While the log takes nothing there is nothing more to sign than there was.
void on_checkpoint(sink_pointer self) {
  sink_state& state = self->state;
  const activity::mark busy{*state.activity};
  state.checkpoint_scheduled = false;
  if (state.blocked) return schedule_checkpoint(self);
  state.journal->checkpoint();
  schedule_flush(self);
}

void on_rekey(sink_pointer self, const event_sealing_ptr& sealing) {
  self->state.journal->change_key(sealing);
  schedule_flush(self);
}

}  // namespace

sink_actor::behavior_type make_sink(sink_pointer self, sink_journal_ptr journal, host_chain_actor host_chain,
                                    const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  self->state.journal = std::move(journal);
  self->state.host_chain = std::move(host_chain);
  self->state.host = &host;
  self->state.activity = host.activities.enter("SINK", "", self->address());
  // A predecessor may have died with lines pending or losses unreported.
  if (self->state.journal->has_pending()) schedule_flush(self);
  if (self->state.journal->has_losses()) schedule_summary(self);
  if (self->state.journal->has_unsigned()) schedule_checkpoint(self);
  return {
      [self](open_run_atom, const host_stamp_ptr& run, const run_opening& opening) {
        return on_open_run(self, run, opening);
      },
      [self](const batch_ptr& decoded, const host_stamp_ptr& run, const chunk_credit_ptr& credit) {
        on_arrival(self, {run, decoded, credit});
      },
      [self](quarantine_atom, const host_stamp_ptr& run, const quarantined_chunk& chunk,
             const chunk_credit_ptr& credit) {
        on_arrival(self, {run, chunk, credit});
      },
      [self](const host_stamp_ptr& run, const agent_silenced& silence) { on_silence(self, run, silence); },
      [self](const host_stamp_ptr& run, const probe_reading_ptr& reading) { on_reading(self, run, reading); },
      [self](totals_atom, const host_stamp_ptr& run) { return self->state.journal->account(run); },
      [self](close_run_atom, const host_stamp_ptr& run, const run_closing& closing) {
        return on_close_run(self, run, closing);
      },
      [self](turn_atom) { on_turn(self); },
      [self](retry_atom) { on_look_at_held(self); },
      [self](flush_atom) { on_flush(self); },
      [self](tick_atom) { on_tick(self); },
      [self](checkpoint_atom) { on_checkpoint(self); },
      [self](rekey_atom, const event_sealing_ptr& sealing) { on_rekey(self, sealing); },
      [self](const host_chain_actor& restarted) { on_host_chain(self, restarted); },
  };
}

}  // namespace cellos
