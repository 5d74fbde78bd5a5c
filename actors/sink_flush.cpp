// Lines are written in the order in which they were made, by this actor or by the HOST CHAIN. What was refused is tried
// again; acknowledgements and answers go out behind the last byte that they wait for.

#include "actors/sink_flush.hpp"

#include <chrono>
#include <utility>

#include "actors/supervised_request.hpp"

namespace cellos {

namespace {

/// How often a log that takes nothing is tried again. Chosen here.
constexpr std::chrono::milliseconds retry_pause{100};
/// Of a HOST CHAIN that dies and is not replaced.
const std::error_code host_chain_away = std::make_error_code(std::errc::resource_unavailable_try_again);
/// An append takes as long as the disk does; asked again, nothing is appended twice. Chosen here.
constexpr std::chrono::seconds host_chain_timeout{30};

/// What the log refused is tried again.
void retry_flush(sink_pointer self) {
  if (!std::exchange(self->state.flush_scheduled, true)) self->delayed_send(self, retry_pause, flush_atom::value);
}

template <class What, class Act>
void settle(std::deque<sink_state::due<What>>& all, std::uint64_t written, Act&& act) {
  while (!all.empty() && all.front().bytes <= written) {
    What what = std::move(all.front().what);
    all.pop_front();
    act(what);
  }
}

/// Acknowledges and answers what is in the log.
void settle(sink_pointer self) {
  sink_state& state = self->state;
  const std::uint64_t written = state.journal->bytes_written();
  settle(state.due_acknowledgements, written,
         [](const sink_state::acknowledgement& due) { due.credit->acknowledge(due.sequence); });
  settle(state.due_answers, written, [](const std::function<void()>& answer) { answer(); });
}

void block(sink_pointer self, std::error_code refused) {
  sink_state& state = self->state;
  if (!std::exchange(state.blocked, true)) {
    state.reported_blocked.emplace(state.host->progress->blocked_sinks);
    state.blocked_by = refused;
    state.blocked_since = self->clock().now();
    state.host->events.evidence_blocked(refused);
  }
  retry_flush(self);
}

/// The log takes lines again. The last SINK to find out puts it on record.
void resumed(sink_pointer self) {
  sink_state& state = self->state;
  state.reported_blocked.reset();
  state.host->events.evidence_resumed();
  if (state.host->progress->blocked_sinks > 0) return;
  state.journal->record({state.blocked_by.message(), self->clock().now() - state.blocked_since});
}

/// So that each segment can be checked soon after it was left, whatever becomes of the next.
void checkpoint_in_new_segment(sink_pointer self) {
  sink_state& state = self->state;
  const std::uint64_t before = std::exchange(state.segment, state.host->log.current_segment());
  if (before == 0 || before == state.segment || !state.journal->has_unsigned()) return;
  state.journal->checkpoint();
  schedule_flush(self);
}

void on_host_chain_outcome(sink_pointer self, std::error_code refused) {
  sink_state& state = self->state;
  const activity::mark busy{*state.activity};
  state.host_chain_died = false;
  state.asks_host_chain = false;
  if (refused) return block(self, refused);
  state.journal->appended_by_host_chain();
  flush(self);
}

/// A HOST CHAIN that died is replaced in no time, and its successor takes over what was asked. If not, that is as good
/// as a log that takes nothing.
void on_host_chain_lost(sink_pointer self) {
  sink_state& state = self->state;
  state.asks_host_chain = false;
  if (std::exchange(state.host_chain_died, true)) return block(self, host_chain_away);
  retry_flush(self);
}

/// Has the HOST CHAIN append what is next; whoever is asked appends it once.
void ask_host_chain(sink_pointer self) {
  sink_state& state = self->state;
  state.asks_host_chain = true;
  const std::uint64_t request = ++state.host_chain_request;
  ask<append_outcome>(
      self, state.host_chain, host_chain_timeout,
      {.wanted = [self, request] { return self->state.host_chain_request == request; },
       .answered = [self](const append_outcome& outcome) { on_host_chain_outcome(self, outcome.refused); },
       .failed = [self](const caf::error&) { on_host_chain_lost(self); },
       .receiver_died = [self] { on_host_chain_lost(self); }},
      append_atom::value, state.journal->for_host_chain());
}

}  // namespace

void schedule_flush(sink_pointer self) {
  if (!std::exchange(self->state.flush_scheduled, true)) self->send(self, flush_atom::value);
}

bool takes_more(const sink_state& state) {
  return !state.blocked && (!state.asks_host_chain || state.journal->pending_bytes() < sink_flush_bytes);
}

void schedule_turn(sink_pointer self) {
  if (!takes_more(self->state) || !self->state.turns.ready()) return;
  if (!std::exchange(self->state.turn_scheduled, true)) self->send(self, turn_atom::value);
}

void flush(sink_pointer self) {
  sink_state& state = self->state;
  if (state.asks_host_chain) return;
  const std::error_code refused = state.journal->flush();
  settle(self);
  if (refused) return block(self, refused);
  if (state.journal->for_host_chain()) {
    ask_host_chain(self);
  } else if (std::exchange(state.blocked, false)) {
    resumed(self);
    return flush(self);
  } else {
    checkpoint_in_new_segment(self);
  }
  schedule_turn(self);
}

void on_flush(sink_pointer self) {
  const activity::mark busy{*self->state.activity};
  self->state.flush_scheduled = false;
  flush(self);
}

void on_host_chain(sink_pointer self, const host_chain_actor& host_chain) {
  sink_state& state = self->state;
  state.host_chain = host_chain;
  state.host_chain_died = false;
  if (std::exchange(state.asks_host_chain, false)) ++state.host_chain_request;
  if (state.journal->for_host_chain()) flush(self);
}

}  // namespace cellos
