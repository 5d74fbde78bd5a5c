#include "messages/decode_chunk.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"

namespace cellos {

namespace {

constexpr std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  return a > max - b ? max : a + b;
}

void account_losses(guest_loss_account& losses, const decoded_frame& frame) {
  if (frame.seq) {
    if (!losses.has_seq) {
      losses.first_seq = *frame.seq;
    } else if (*frame.seq > losses.next_seq) {
      losses.missing_within = saturating_add(losses.missing_within, *frame.seq - losses.next_seq);
    }
    losses.next_seq = std::max(losses.next_seq, saturating_add(*frame.seq, 1));
    losses.has_seq = true;
  }
  if (frame.dropped) {
    losses.has_dropped = true;
    losses.dropped = std::max(losses.dropped, *frame.dropped);
  }
}

void take_frame(batch& into, const decoded_frame& frame) {
  if (frame.refusal != telemetry_errc::none) {
    into.refused.add(frame.refusal);
    return;
  }
  if (frame.forged_attribution) ++into.forged_attribution;
  account_losses(into.losses, frame);
  if (frame.declaration.source == probe_source::agent_heartbeat) {
    ++into.heartbeats;
  } else {
    into.declarations.push_back(frame.declaration);
  }
}

void take_ending(batch& into, chunk_ending ending) {
  if (ending == chunk_ending::torn) into.refused.add(telemetry_errc::torn_frame);
  if (ending == chunk_ending::framing_lost) into.refused.add(telemetry_errc::framing_lost);
}

}  // namespace

batch decode_chunk(chunk_ptr chunk, host_stamp_ptr attribution) {
  batch decoded;
  decoded.declarations.reserve(chunk->frames);
  std::span<const std::uint8_t> rest{chunk->bytes};
  while (rest.size() >= wire::frame_header_bytes) {
    const std::uint32_t body_bytes = wire::body_length(rest.data());
    rest = rest.subspan(wire::frame_header_bytes);
    if (body_bytes > rest.size()) break;  // the framer hands over whole frames only
    take_frame(decoded, decode_frame_body(rest.first(body_bytes)));
    rest = rest.subspan(body_bytes);
  }
  take_ending(decoded, chunk->ending);
  decoded.attribution = std::move(attribution);
  decoded.chunk = std::move(chunk);
  return decoded;
}

}  // namespace cellos
