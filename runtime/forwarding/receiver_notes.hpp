#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/forwarding/receiver_note.hpp"

namespace cellos {

/// What a delivery has noted and nobody has taken yet. Trouble that goes on is noted once a minute, not with each
/// attempt, other trouble once a second: the last one of that second when it is over, unless the receiver took
/// something meanwhile; and the first sign of health after it.
class receiver_notes {
 public:
  void add(receiver_note what, monotonic_time now);
  /// The receiver took something.
  void add_reached();
  std::vector<receiver_note> take(monotonic_time now);

  /// Times that lines had been removed before they were delivered.
  std::uint64_t gaps() const { return gaps_; }

 private:
  std::vector<receiver_note> waiting_;
  /// Whether the next sign of health is news.
  bool is_reached_news_ = true;
  /// The last one that was noted, and when; none at first.
  std::string trouble_;
  monotonic_time noted_at_{monotonic_time::min()};
  /// Other trouble, too soon after that.
  std::optional<receiver_note> held_back_;
  std::uint64_t gaps_ = 0;
};

}  // namespace cellos
