#pragma once

#include <cstdint>
#include <string>

#include "messages/event_seal.hpp"

namespace cellos {

/// Where a chain stands, and so where it goes on.
struct chain_position {
  std::string chain;
  /// Sequence of the next event.
  std::uint64_t next_event = 1;
  /// The chain has digests, and this is its last event's.
  bool sealed = false;
  event_digest digest = no_event;
  /// The key that vouched for it last; empty without a key.
  std::string key_id{};
};

}  // namespace cellos
