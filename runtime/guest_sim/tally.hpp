#pragma once

#include <cstdint>

#include "messages/telemetry_errc.hpp"
#include "runtime/guest_sim/frame_fate.hpp"

namespace cellos::guest_sim {

/// What was put on the wire, by what must become of it.
struct tally {
  /// Including refused and torn ones.
  std::uint64_t frames = 0;
  /// Including heartbeats.
  std::uint64_t accepted = 0;
  std::uint64_t heartbeats = 0;
  refusal_counts refused;
  std::uint64_t forged_attribution = 0;
  std::uint64_t missing_seq = 0;
  std::uint64_t dropped_by_guest = 0;
  std::uint64_t connections = 0;
  std::uint64_t bytes = 0;

  std::uint64_t declarations() const { return accepted - heartbeats; }

  void add(const frame_fate& fate) {
    ++frames;
    missing_seq += fate.missing_seq;
    dropped_by_guest += fate.dropped;
    if (fate.refusal != telemetry_errc::none) return refused.add(fate.refusal);
    ++accepted;
    if (fate.heartbeat) ++heartbeats;
    if (fate.forged) ++forged_attribution;
  }

  bool operator==(const tally&) const = default;
};

}  // namespace cellos::guest_sim
