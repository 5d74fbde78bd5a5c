#pragma once

#include <cstdint>

#include "messages/telemetry_errc.hpp"

namespace cellos {

/// A run's totals. `received = appended + heartbeats + refused + quarantined + in flight` at every moment.
struct run_totals {
  /// Frames read from the cell's connections, partial last ones included.
  std::uint64_t received = 0;
  /// Declarations in the evidence log.
  std::uint64_t appended = 0;
  /// Accepted signs of life; counted, not appended.
  std::uint64_t heartbeats = 0;
  refusal_counts refused;
  /// Frames set aside in a file because decoding them killed two decoders, or made a batch of another attribution.
  std::uint64_t quarantined = 0;
  /// Accepted frames that tried to fill attribution.
  std::uint64_t forged_attribution = 0;
  std::uint64_t connections = 0;

  std::uint64_t settled() const { return appended + heartbeats + refused.total() + quarantined; }
  std::uint64_t in_flight() const { return received > settled() ? received - settled() : 0; }

  bool operator==(const run_totals&) const = default;

  run_totals& operator+=(const run_totals& other);
};

namespace detail {

/// Calls `combine` with each pair of counts.
template <class Combine>
constexpr run_totals combined(run_totals a, const run_totals& b, Combine combine) {
  a.received = combine(a.received, b.received);
  a.appended = combine(a.appended, b.appended);
  a.heartbeats = combine(a.heartbeats, b.heartbeats);
  a.quarantined = combine(a.quarantined, b.quarantined);
  a.forged_attribution = combine(a.forged_attribution, b.forged_attribution);
  a.connections = combine(a.connections, b.connections);
  refusal_counts refused;
  for (telemetry_errc kind : refusal_kinds) refused.add(kind, combine(a.refused[kind], b.refused[kind]));
  a.refused = refused;
  return a;
}

}  // namespace detail

inline run_totals& run_totals::operator+=(const run_totals& other) {
  return *this = detail::combined(*this, other, [](std::uint64_t a, std::uint64_t b) { return a + b; });
}

/// What was counted since `before`; never less than nothing.
inline run_totals operator-(const run_totals& now, const run_totals& before) {
  return detail::combined(now, before, [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; });
}

}  // namespace cellos
