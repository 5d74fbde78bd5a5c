#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/guest_sim/splitmix.hpp"

namespace cellos::guest_sim {

/// One way to spoil a body so that the host must refuse it as `malformed_frame`, whatever the random numbers.
///
/// Each has exactly one fault: which of two faults a host names first is nobody's promise.
struct malformed_kind {
  std::string_view name;
  /// Writes the body; `declared` is what a valid frame would say, without loss counters.
  void (*write)(frame_writer& out, splitmix& random, const declaration& declared);
};

std::span<const malformed_kind> malformed_kinds();

/// Major 2 or 0, first in the map as it should be; what follows is noise the host must not look at.
void write_wrong_major(frame_writer& out, splitmix& random);

/// A name that is not in the closed set.
std::string_view unknown_source(splitmix& random);

}  // namespace cellos::guest_sim
