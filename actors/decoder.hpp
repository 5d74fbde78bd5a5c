#pragma once

#include <vector>

#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"

namespace cellos {

struct decoder_state {
  static constexpr const char* name = "cell.decoder";
  decoder_state() = default;

  host_stamp_ptr run;
  decoder_progress_ptr progress;
  sink_actor sink;
  const host_environment* host = nullptr;
  /// Chunks that must not be decoded again; the SINK hears of each in its place.
  std::vector<quarantined_chunk> quarantined;
  activity_ptr activity;
};

/// `quarantined`: chunks to pass over. `host` must outlive the actor.
decoder_actor::behavior_type make_decoder(decoder_actor::stateful_pointer<decoder_state> self, host_stamp_ptr run,
                                          decoder_progress_ptr progress, sink_actor sink,
                                          std::vector<quarantined_chunk> quarantined, const host_environment& host);

}  // namespace cellos
