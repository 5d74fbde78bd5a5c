// DECODER, second on the data path. In: a chunk of whole frames from the LISTENER. Out: one batch to the SINK, with the
// accepted declarations stamped as this cell's and the refused frames counted by kind. A refused frame is nobody's failure:
// the next one goes on. The chunk's bytes are not copied; the batch keeps the chunk.

#include "actors/decoder.hpp"

#include <memory>
#include <utility>

#include "actors/supervision.hpp"
#include "messages/decode_chunk.hpp"

namespace cellos {

namespace {

void on_chunk(decoder_actor::stateful_pointer<decoder_state> self, const chunk_ptr& chunk, const credit_actor& credit) {
  decoder_state& state = self->state;
  auto decoded = std::make_shared<const batch>(decode_chunk(chunk, state.cell->run));
  if (decoded->accepted() > 0 && chunk->received_mono > state.cell->last_accepted.load()) {
    state.cell->last_accepted = chunk->received_mono;
  }
  self->send(state.sink, batch_ptr{std::move(decoded)}, credit);
}

}  // namespace

decoder_actor::behavior_type make_decoder(decoder_actor::stateful_pointer<decoder_state> self, cell_estate_ptr cell,
                                          sink_actor sink) {
  die_of_exceptions(self);
  self->state.cell = std::move(cell);
  self->state.sink = std::move(sink);
  return {
      [self](const chunk_ptr& chunk, const credit_actor& credit) { on_chunk(self, chunk, credit); },
      [self](last_accepted_atom) { return self->state.cell->last_accepted.load(); },
      [self](const sink_actor& successor) { self->state.sink = successor; },
  };
}

}  // namespace cellos
