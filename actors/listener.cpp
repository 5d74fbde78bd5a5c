// LISTENER: the thin owner of one cell's intake. The socket service reads, frames and dates; this has it bring the
// chunks to the DECODER, and the credit that goes with them leads back to the intake. Sockets and unacknowledged chunks
// are the intake's, so this actor may die at any point: its successor attaches and everything unacknowledged comes
// again. What arrives twice the SINK drops by sequence.

#include "actors/listener.hpp"

#include <atomic>
#include <memory>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

/// Returns credit to the intake at once; the LISTENER hears of it only while somebody waits for the last. What a
/// LISTENER that died sent counts as well: it is in the log.
class listener_credit final : public chunk_credit {
 public:
  listener_credit(const cell_intake_ptr& intake, const listener_actor& listener)
      : intake_(intake), listener_(caf::actor_cast<caf::weak_actor_ptr>(listener)) {}

  void acknowledge(std::uint64_t sequence) override {
    if (const cell_intake_ptr intake = intake_.lock()) intake->acknowledge(sequence);
    if (is_awaited_) send(acknowledge_atom::value, sequence);
  }
  void replay() override { send(replay_atom::value); }

  /// From now on the LISTENER hears of what is acknowledged. Whatever was before shows in the intake.
  void await() { is_awaited_ = true; }

 private:
  template <class... What>
  void send(What... what) {
    if (const auto listener = caf::actor_cast<listener_actor>(listener_)) caf::anon_send(listener, what...);
  }

  /// The intake has this by way of its delivery.
  const std::weak_ptr<cell_intake> intake_;
  const caf::weak_actor_ptr listener_;
  std::atomic<bool> is_awaited_{false};
};

namespace {

using listener_pointer = listener_actor::stateful_pointer<listener_state>;

void attach(listener_pointer self) {
  if (!self->state.decoder) return;
  self->state.intake->attach(self->state.generation,
                             [decoder = self->state.decoder, credit = chunk_credit_ptr{self->state.credit}](
                                 chunk_ptr chunk) { caf::anon_send(decoder, std::move(chunk), credit); });
}

void answer_if_drained(listener_pointer self) {
  const activity::mark busy{*self->state.activity};
  listener_state& state = self->state;
  if (!state.drained || !state.drain_answer) return;
  const intake_counts seen = state.intake->counts();
  if (seen.chunks_unacknowledged != 0) return;
  std::exchange(state.drain_answer, std::nullopt)->deliver(seen.frames_received);
}

caf::typed_response_promise<std::uint64_t> on_drain(listener_pointer self) {
  auto answer = self->make_response_promise<std::uint64_t>();
  self->state.drain_answer = answer;
  self->state.credit->await();
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
  self->state.credit = std::make_shared<listener_credit>(self->state.intake, caf::actor_cast<listener_actor>(self));
  self->state.activity = host.activities.enter("LISTENER", run->cell_id, self->address());
  return {
      [self](const decoder_actor& successor) {
        self->state.decoder = successor;
        attach(self);
        answer_if_drained(self);
      },
      [self](replay_atom) {
        attach(self);
        answer_if_drained(self);
      },
      [self](acknowledge_atom, std::uint64_t) { answer_if_drained(self); },
      [self](drain_atom) { return on_drain(self); },
      [self](drained_atom) { on_drained(self); },
  };
}

}  // namespace cellos
