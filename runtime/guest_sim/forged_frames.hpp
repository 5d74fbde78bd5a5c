#pragma once

#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/guest_sim/splitmix.hpp"

namespace cellos::guest_sim {

/// A valid frame with keys no agent has, of every CBOR shape, anywhere after `content_version`. The host must accept it
/// and skip them. True when one of them is an attribution key of the outer map.
bool write_forged(frame_writer& out, splitmix& random, const declaration& declared);

}  // namespace cellos::guest_sim
