// DECODER, first on the data path. In: a chunk of whole frames from the socket service, where the LISTENER has it sent.
// Out: one batch to the SINK, with the accepted declarations stamped as this cell's and the refused frames counted by
// kind. A refused frame is nobody's failure: the next one goes on. The chunk's bytes are not copied; the batch keeps
// the chunk.

#include "actors/decoder.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "actors/supervision.hpp"

namespace cellos {

namespace {

void on_chunk(decoder_actor::stateful_pointer<decoder_state> self, const chunk_ptr& chunk,
              const chunk_credit_ptr& credit) {
  decoder_state& state = self->state;
  const activity::mark busy{*state.activity};
  const auto quarantined = std::find_if(state.quarantined.begin(), state.quarantined.end(),
                                        [&](const auto& known) { return known.sequence == chunk->sequence; });
  if (quarantined != state.quarantined.end()) {
    self->send(state.sink, quarantine_atom::value, state.run, *quarantined, credit);
    return;
  }
  state.progress->decoding = chunk->sequence;
  auto decoded = std::make_shared<const batch>(state.host->decode(chunk, state.run));
  if (decoded->accepted() > 0 && chunk->received_mono > state.progress->last_accepted.load()) {
    state.progress->last_accepted = chunk->received_mono;
  }
  self->send(state.sink, batch_ptr{std::move(decoded)}, state.run, credit);
  state.progress->decoding = 0;
}

}  // namespace

decoder_actor::behavior_type make_decoder(decoder_actor::stateful_pointer<decoder_state> self, host_stamp_ptr run,
                                          decoder_progress_ptr progress, sink_actor sink,
                                          std::vector<quarantined_chunk> quarantined, const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  self->state.run = std::move(run);
  self->state.progress = std::move(progress);
  self->state.sink = std::move(sink);
  self->state.host = &host;
  self->state.quarantined = std::move(quarantined);
  self->state.activity = host.activities.enter("DECODER", self->state.run->cell_id, self->address());
  return {
      [self](const chunk_ptr& chunk, const chunk_credit_ptr& credit) { on_chunk(self, chunk, credit); },
      [self](barrier_atom) { return self->state.progress->last_accepted.load(); },
      [self](const sink_actor& successor) { self->state.sink = successor; },
  };
}

}  // namespace cellos
