#pragma once

#include <cstdint>

#include "messages/telemetry_errc.hpp"

namespace cellos {

/// A run's books. `received = appended + heartbeats + refused + quarantined + in flight` at every moment.
struct run_totals {
  /// Frames read from the cell's connections, partial last ones included.
  std::uint64_t received = 0;
  /// Declarations in the evidence log.
  std::uint64_t appended = 0;
  /// Accepted signs of life; counted, not appended.
  std::uint64_t heartbeats = 0;
  refusal_counts refused;
  /// Frames set aside in a file because decoding them killed two decoders.
  std::uint64_t quarantined = 0;
  /// Accepted frames that tried to fill attribution.
  std::uint64_t forged_attribution = 0;
  std::uint64_t connections = 0;

  std::uint64_t settled() const { return appended + heartbeats + refused.total() + quarantined; }
  std::uint64_t in_flight() const { return received > settled() ? received - settled() : 0; }

  bool operator==(const run_totals&) const = default;
};

}  // namespace cellos
