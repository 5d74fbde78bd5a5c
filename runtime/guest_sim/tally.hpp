#pragma once

#include <cstdint>

#include "messages/telemetry_errc.hpp"
#include "runtime/guest_sim/expected_outcome.hpp"

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

  void add(const expected_outcome& expected) {
    ++frames;
    missing_seq += expected.missing_seq;
    dropped_by_guest += expected.dropped;
    if (expected.refusal != telemetry_errc::none) return refused.add(expected.refusal);
    ++accepted;
    if (expected.heartbeat) ++heartbeats;
    if (expected.forged) ++forged_attribution;
  }

  bool operator==(const tally&) const = default;
};

}  // namespace cellos::guest_sim
