#include "runtime/socket_service/chunk_maker.hpp"

#include <utility>

namespace cellos {

std::optional<received_chunk> chunk_maker::take(std::span<const std::uint8_t> bytes, read_time at) {
  spoke_ = true;
  const bool was_inside = frames_.inside_frame();
  framer::cut cut = frames_.push(bytes);
  if (cut.lost) {
    ended_ = true;
    return make(std::move(cut), chunk_ending::framing_lost, at);
  }
  if (!was_inside || cut.frames > 0) frame_began_ = at.mono;
  if (cut.frames == 0) return std::nullopt;
  return make(std::move(cut), chunk_ending::none, at);
}

std::optional<received_chunk> chunk_maker::end(read_time at) {
  if (std::exchange(ended_, true) || !spoke_) return std::nullopt;
  return make({}, frames_.inside_frame() ? chunk_ending::torn : chunk_ending::closed, at);
}

bool chunk_maker::overdue(monotonic_time now, std::chrono::nanoseconds limit) const {
  return !ended_ && frames_.inside_frame() && now - frame_began_ > limit;
}

received_chunk chunk_maker::make(framer::cut&& cut, chunk_ending ending, read_time at) const {
  const bool refuses_one = ending == chunk_ending::torn || ending == chunk_ending::framing_lost;
  received_chunk chunk;
  chunk.connection = connection_;
  chunk.received_at = at.wall;
  chunk.received_mono = at.mono;
  chunk.frames = cut.frames + (refuses_one ? 1 : 0);
  chunk.ending = ending;
  chunk.bytes = std::move(cut.bytes);
  return chunk;
}

}  // namespace cellos
