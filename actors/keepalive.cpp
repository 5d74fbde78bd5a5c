// KEEPALIVE: notifies the SINK, once a run, that the agent fell silent. It re-arms lazily: no timer per frame, only one
// that looks at the last accepted time when it fires. Before it reports, it asks the DECODER, whose answer comes after
// everything delivered until then is decoded; so a busy host is never mistaken for a silent agent.

#include "actors/keepalive.hpp"

#include <algorithm>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

using keepalive_pointer = keepalive_actor::stateful_pointer<keepalive_state>;

/// How long the DECODER may take to get through what it has; then we ask again. Chosen here.
constexpr std::chrono::seconds decoder_timeout{5};
/// Pause before asking again after no answer (the DECODER is being replaced). Chosen here.
constexpr std::chrono::milliseconds retry_pause{20};

/// How often a log that takes nothing is looked at again. Chosen here.
constexpr std::chrono::milliseconds blocked_pause{100};

/// Who runs so much later than asked for was stopped with the whole daemon, or starved: what guests sent meanwhile may
/// wait in their sockets. Chosen here; silence is reported late by a window rather than wrongly.
constexpr std::chrono::milliseconds late_wake_up{250};

void look_again_at(keepalive_pointer self, monotonic_time when) {
  self->state.due = std::max(when, self->clock().now());
  self->delayed_send(self, when - self->clock().now(), tick_atom::value);
}

/// Counts the silence from `now` on, if nobody listened until now.
bool woke_late(keepalive_pointer self, monotonic_time now) {
  if (now - self->state.due <= late_wake_up) return false;
  self->state.unheard = now;
  look_again_at(self, self->state.trigger.deadline(now));
  return true;
}

void conclude(keepalive_pointer self, monotonic_time last_accepted) {
  keepalive_state& state = self->state;
  const monotonic_time now = self->clock().now();
  if (woke_late(self, now)) return;
  if (!state.trigger.exceeded(now, last_accepted)) return look_again_at(self, state.trigger.deadline(last_accepted));
  state.reported = state.trigger.fire(now, last_accepted);
  if (!state.reported) return;
  state.reported->seen = state.host->board->seen(state.run->cell_id);
  self->send(state.sink, state.run, *state.reported);
}

/// The predecessor may have died with the silence unheard in its mailbox; one that had heard it left it in the journal.
void on_new_sink(keepalive_pointer self, const sink_actor& successor) {
  keepalive_state& state = self->state;
  state.sink = successor;
  if (state.reported) self->send(state.sink, state.run, *state.reported);
}

void on_tick(keepalive_pointer self) {
  keepalive_state& state = self->state;
  const activity::mark busy{*state.activity};
  if (state.trigger.spent()) return;
  if (state.host->progress->blocked_sinks > 0) {
    state.unheard = self->clock().now();
    return look_again_at(self, state.unheard + blocked_pause);
  }
  if (woke_late(self, self->clock().now())) return;
  const monotonic_time last_accepted = std::max(state.progress->last_accepted.load(), state.unheard);
  if (!state.trigger.exceeded(self->clock().now(), last_accepted)) {
    return look_again_at(self, state.trigger.deadline(last_accepted));
  }
  state.due = self->clock().now();
  self->request(state.decoder, decoder_timeout, barrier_atom::value)
      .then([self](monotonic_time answered) { conclude(self, std::max(answered, self->state.unheard)); },
            [self](const caf::error&) { look_again_at(self, self->clock().now() + retry_pause); });
}

}  // namespace

keepalive_actor::behavior_type make_keepalive(keepalive_pointer self, host_stamp_ptr run,
                                              std::chrono::nanoseconds window, decoder_progress_ptr progress,
                                              decoder_actor decoder, sink_actor sink, const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  keepalive_state& state = self->state;
  state.trigger = silence_trigger{window};
  state.run = std::move(run);
  state.progress = std::move(progress);
  state.decoder = std::move(decoder);
  state.sink = std::move(sink);
  state.host = &host;
  state.activity = host.activities.enter("KEEPALIVE", state.run->cell_id, self->address());
  look_again_at(self, state.trigger.deadline(state.progress->last_accepted));
  return {
      [self](tick_atom) { on_tick(self); },
      [self](const decoder_actor& successor) { self->state.decoder = successor; },
      [self](const sink_actor& successor) { on_new_sink(self, successor); },
  };
}

}  // namespace cellos
