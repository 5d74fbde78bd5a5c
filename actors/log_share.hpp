#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "messages/instants.hpp"

namespace cellos {

/// How much of the evidence log one cell may fill.
struct log_share_limits {
  /// A full share; 0: as much as it likes.
  std::uint64_t bytes = 0;
  /// The time in which a full share is earned again.
  std::chrono::nanoseconds interval = std::chrono::hours{1};
  /// How long a cell that is over its share is held back before its declarations are refused. Chosen here: a guest that
  /// wrote a burst is over it by then, and no agent is blocked for longer.
  std::chrono::nanoseconds hold = std::chrono::seconds{2};

  bool limited() const { return bytes != 0; }
};

/// One cell's share of the evidence log: a token bucket of bytes, full at first, and what becomes of declarations that
/// it does not cover. They are held back first; once that lasted for `hold`, as many are taken as are covered and the
/// others are refused, without another pause until it keeps to its share with a good part left.
///
/// Pure: time comes in, and never goes back.
class log_share {
 public:
  explicit log_share(const log_share_limits& limits) : limits_(limits), level_(static_cast<double>(limits.bytes)) {}

  struct allowance {
    /// Not now: ask again soon.
    bool held = false;
    /// How many may be taken; the others are refused.
    std::uint64_t declarations = std::numeric_limits<std::uint64_t>::max();
  };
  /// `longest_hold` shortens the hold of a cell that cannot wait so long.
  allowance ask(std::uint64_t declarations, monotonic_time now, std::chrono::nanoseconds longest_hold);
  /// Lines of the cell were made, `declarations` of which are guests' own; 0 for what the host has to say of it.
  void spend(std::uint64_t bytes, std::uint64_t declarations, monotonic_time now);
  /// Whether the host itself has to be brief about this cell: its lines have used up more than the share.
  bool in_debt(monotonic_time now) const { return limits_.limited() && level_at(now) < 0; }
  /// Nothing is missing: a share that is forgotten and begun anew is the same.
  bool full(monotonic_time now) const { return level_at(now) >= static_cast<double>(limits_.bytes); }

 private:
  double level_at(monotonic_time now) const;
  void earn(monotonic_time now);

  log_share_limits limits_;
  /// Bytes left; below 0 when lines were longer than was thought.
  double level_;
  std::optional<monotonic_time> earned_until_;
  /// Of the last declarations. The first guess is a signed one's.
  double bytes_per_declaration_ = 1024;
  std::optional<monotonic_time> over_since_;
};

}  // namespace cellos
