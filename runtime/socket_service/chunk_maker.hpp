#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "messages/instants.hpp"
#include "messages/received_chunk.hpp"
#include "runtime/socket_service/framer.hpp"

namespace cellos {

/// When bytes were read, by both clocks.
struct read_time {
  wall_time wall{};
  monotonic_time mono{};
};

/// Makes chunks of what one connection's guest wrote, and decides how the connection ended. Pure.
class chunk_maker {
 public:
  /// `connection` is the connection's number in its cell.
  explicit chunk_maker(std::uint64_t connection) : connection_(connection) {}

  /// A chunk if these bytes complete a frame, or if the framing is lost with them: that one is the last.
  std::optional<received_chunk> take(std::span<const std::uint8_t> bytes, read_time at);
  /// No more bytes will come: the last chunk, `torn` inside a frame and `closed` between two. Nothing for a connection
  /// that never said anything.
  std::optional<received_chunk> end(read_time at);

  /// Whether its last chunk has been made.
  bool ended() const { return ended_; }
  /// Whether it has stood inside one frame for longer than `limit`.
  bool overdue(monotonic_time now, std::chrono::nanoseconds limit) const;

 private:
  received_chunk make(framer::cut&& cut, chunk_ending ending, read_time at) const;

  std::uint64_t connection_;
  framer frames_;
  monotonic_time frame_began_{};
  bool spoke_ = false;
  bool ended_ = false;
};

}  // namespace cellos
