#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "messages/instants.hpp"

namespace cellos {

/// How a connection's bytes ended after a chunk, if they did.
enum class chunk_ending : std::uint8_t {
  /// More may follow on this connection.
  none,
  /// The guest closed between two frames, or we did while draining.
  closed,
  /// The bytes ended inside a frame (`torn_frame`).
  torn,
  /// A length of 0 or over 4096 (`framing_lost`); we closed the connection.
  framing_lost,
};

/// One read of one connection: whole frames only, dated once. What LISTENER hands to DECODER.
///
/// `sequence` numbers a cell's chunks from 1 for as long as its intake lives. It is what acknowledgement, replay after
/// a crash and the SINK's deduplication go by.
struct received_chunk {
  std::uint64_t sequence = 0;
  /// Numbers a cell's connections from 1; counters a guest keeps (`seq`, `dropped`) are per connection.
  std::uint64_t connection = 0;
  wall_time received_at{};
  monotonic_time received_mono{};
  /// Frames in `bytes`, plus 1 when `ending` refuses a partial one: what this chunk adds to `frames_received`.
  std::uint32_t frames = 0;
  chunk_ending ending = chunk_ending::none;
  std::vector<std::uint8_t> bytes;
};

using chunk_ptr = std::shared_ptr<const received_chunk>;

}  // namespace cellos
