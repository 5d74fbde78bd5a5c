#pragma once

#include "actors/cell_estate.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

struct decoder_state {
  static constexpr const char* name = "cell.decoder";
  decoder_state() = default;

  cell_estate_ptr cell;
  sink_actor sink;
};

decoder_actor::behavior_type make_decoder(decoder_actor::stateful_pointer<decoder_state> self, cell_estate_ptr cell,
                                          sink_actor sink);

}  // namespace cellos
