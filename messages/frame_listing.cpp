#include "messages/frame_listing.hpp"

#include "messages/wire_format.hpp"

namespace cellos {

namespace {

/// The frame at the start of `rest`, which is not empty.
listed_frame first_frame(std::span<const std::uint8_t> rest) {
  listed_frame frame;
  if (rest.size() < wire::frame_header_bytes) {
    frame.decoded.refusal = telemetry_errc::torn_frame;
    return frame;
  }
  frame.length = wire::body_length(rest.data());
  frame.body = rest.subspan(wire::frame_header_bytes);
  if (!wire::is_frameable(*frame.length)) {
    frame.decoded.refusal = telemetry_errc::framing_lost;
  } else if (frame.body.size() < *frame.length) {
    frame.decoded.refusal = telemetry_errc::torn_frame;
  } else {
    frame.body = frame.body.first(*frame.length);
    frame.decoded = decode_frame_body(frame.body);
  }
  return frame;
}

bool is_last(const listed_frame& frame) {
  return frame.decoded.refusal == telemetry_errc::torn_frame || frame.decoded.refusal == telemetry_errc::framing_lost;
}

}  // namespace

std::vector<listed_frame> list_frames(std::span<const std::uint8_t> bytes) {
  std::vector<listed_frame> frames;
  std::size_t offset = 0;
  while (offset < bytes.size()) {
    listed_frame frame = first_frame(bytes.subspan(offset));
    frame.offset = offset;
    offset += wire::frame_header_bytes + frame.body.size();
    frames.push_back(frame);
    if (is_last(frame)) break;
  }
  return frames;
}

}  // namespace cellos
