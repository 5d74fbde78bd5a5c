#include "runtime/socket_service/framer.hpp"

#include "messages/wire_format.hpp"

namespace cellos {

namespace {

struct boundary {
  std::size_t bytes = 0;
  std::uint32_t frames = 0;
  bool lost = false;
};

/// The end of the last whole frame in `stream`, which starts at a boundary.
boundary last_boundary(std::span<const std::uint8_t> stream) {
  boundary last;
  while (stream.size() - last.bytes >= wire::frame_header_bytes) {
    const std::uint32_t body_bytes = wire::body_length(stream.data() + last.bytes);
    if (!wire::is_frameable(body_bytes)) {
      last.lost = true;
      break;
    }
    const std::size_t frame_bytes = wire::frame_header_bytes + body_bytes;
    if (stream.size() - last.bytes < frame_bytes) break;
    last.bytes += frame_bytes;
    ++last.frames;
  }
  return last;
}

}  // namespace

/// Saves the drip of a slow guest from being copied out and back for every byte.
bool framer::completes_nothing(std::size_t input_bytes) const {
  if (tail_.size() + input_bytes < wire::frame_header_bytes) return true;
  if (tail_.size() < wire::frame_header_bytes) return false;
  return tail_.size() + input_bytes < wire::frame_header_bytes + wire::body_length(tail_.data());
}

framer::cut framer::push(std::span<const std::uint8_t> input) {
  if (completes_nothing(input.size())) {
    tail_.insert(tail_.end(), input.begin(), input.end());
    return {};
  }
  cut out;
  out.bytes.reserve(tail_.size() + input.size());
  out.bytes.insert(out.bytes.end(), tail_.begin(), tail_.end());
  out.bytes.insert(out.bytes.end(), input.begin(), input.end());
  const boundary last = last_boundary(out.bytes);
  const auto end = out.bytes.begin() + static_cast<std::ptrdiff_t>(last.bytes);
  if (last.lost) {
    tail_.clear();
  } else {
    tail_.assign(end, out.bytes.end());
  }
  out.bytes.erase(end, out.bytes.end());
  out.frames = last.frames;
  out.lost = last.lost;
  return out;
}

}  // namespace cellos
