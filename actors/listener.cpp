// LISTENER, first on the data path: the thin owner of one cell's intake. The socket service reads, frames and dates;
// its chunks come in here and go to the DECODER, and the SINK's acknowledgements go back as credit. Sockets and
// unacknowledged chunks are the intake's, so this actor may die at any point: its successor attaches and everything
// unacknowledged comes again. What arrives twice the SINK drops by sequence.

#include "actors/listener.hpp"

#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

using listener_pointer = listener_actor::stateful_pointer<listener_state>;

void attach(listener_pointer self) {
  if (!self->state.decoder) return;
  self->state.intake->attach(self->state.generation, [handle = caf::actor_cast<listener_actor>(self)](chunk_ptr chunk) {
    caf::anon_send(handle, std::move(chunk));
  });
}

void on_chunk(listener_pointer self, const chunk_ptr& chunk) {
  const activity::mark busy{*self->state.activity};
  self->send(self->state.decoder, chunk, credit_actor{caf::actor_cast<listener_actor>(self)});
}

void answer_if_drained(listener_pointer self) {
  listener_state& state = self->state;
  if (!state.drained || !state.drain_answer) return;
  const intake_counts seen = state.intake->counts();
  if (seen.chunks_unacknowledged != 0) return;
  std::exchange(state.drain_answer, std::nullopt)->deliver(seen.frames_received);
}

void on_acknowledged(listener_pointer self, std::uint64_t sequence) {
  const activity::mark busy{*self->state.activity};
  self->state.intake->acknowledge(sequence);
  answer_if_drained(self);
}

caf::typed_response_promise<std::uint64_t> on_drain(listener_pointer self) {
  auto answer = self->make_response_promise<std::uint64_t>();
  self->state.drain_answer = answer;
  self->state.intake->drain(
      [handle = caf::actor_cast<listener_actor>(self)]() { caf::anon_send(handle, drained_atom::value); });
  return answer;
}

void on_drained(listener_pointer self) {
  self->state.drained = true;
  answer_if_drained(self);
}

}  // namespace

listener_actor::behavior_type make_listener(listener_pointer self, const host_stamp_ptr& run, cell_intake_ptr intake,
                                            std::uint64_t generation, const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  self->state.intake = std::move(intake);
  self->state.generation = generation;
  self->state.activity = host.activities.enter("LISTENER", run->cell_id, self->address());
  return {
      [self](acknowledge_atom, std::uint64_t sequence) { on_acknowledged(self, sequence); },
      [self](replay_atom) { attach(self); },
      [self](const chunk_ptr& chunk) { on_chunk(self, chunk); },
      [self](const decoder_actor& successor) {
        self->state.decoder = successor;
        attach(self);
      },
      [self](drain_atom) { return on_drain(self); },
      [self](drained_atom) { on_drained(self); },
  };
}

}  // namespace cellos
