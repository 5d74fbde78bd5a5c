#pragma once

#include <caf/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace cellos::simulation {

/// The message an actor takes next, as far as it says which chunk it is about.
struct next_message {
  /// Its first word or type, and what it carries of a chunk.
  std::string words;
  /// 0 if it carries none.
  std::uint64_t chunk = 0;
  /// Of the cell whose chunk it carries, if it says so itself.
  std::string cell_id;
  /// Chunks up to this one are appended; 0 if it is no acknowledgement.
  std::uint64_t acknowledged = 0;
  /// Everything unacknowledged is asked for again.
  bool is_replay = false;
};

/// Looks into the mailbox and leaves it as it is.
next_message peek_at_next_message(caf::scheduled_actor& actor);

}  // namespace cellos::simulation
