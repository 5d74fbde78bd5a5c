#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "runtime/probes/probe.hpp"

namespace cellos {

/// Reads a source that says something of many cells at most once a turn: one dump of all links, not one a cell. An
/// error is shared as well. One thread at a time.
template <class Snapshot>
class shared_source {
 public:
  using reader = std::function<probe_result<Snapshot>(monotonic_time deadline)>;

  explicit shared_source(reader read) : read_(std::move(read)) {}

  /// Valid until the next turn.
  const probe_result<Snapshot>& of(const probe_context& context) {
    if (!last_ || turn_ != context.turn) {
      last_.emplace(read_(context.deadline));
      turn_ = context.turn;
    }
    return *last_;
  }

 private:
  reader read_;
  std::uint64_t turn_ = 0;
  std::optional<probe_result<Snapshot>> last_;
};

}  // namespace cellos
