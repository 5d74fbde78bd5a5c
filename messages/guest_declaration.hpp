#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "messages/probe_source.hpp"

namespace cellos {

/// What a guest says happened, and nothing else: the four fields a guest may fill.
///
/// There is no member for attribution, so no decoder can put a guest's claim about who it is anywhere.
/// `guest_comm` borrows from the received chunk; whoever keeps a declaration keeps its chunk (see `batch`).
struct guest_declaration {
  probe_source source{};
  /// Process id in the guest's own pid namespace.
  std::uint32_t guest_pid = 0;
  /// Guest CLOCK_MONOTONIC at the probe, nanoseconds; not comparable with any host clock.
  std::uint64_t guest_monotonic_ns = 0;
  /// Valid UTF-8, unescaped, bounded by the frame body (4096 bytes).
  std::string_view guest_comm;

  bool operator==(const guest_declaration&) const = default;
};

namespace detail {
template <class T>
concept names_attribution = requires(T t) { t.cell_id; } || requires(T t) { t.run_id; } || requires(T t) {
  t.spec_signature_hash;
} || requires(T t) { t.host_received_at; } || requires(T t) { t.output; };
}  // namespace detail

static_assert(!detail::names_attribution<guest_declaration>,
              "a guest declaration must not be able to carry attribution (docs/adr/0002)");

}  // namespace cellos
