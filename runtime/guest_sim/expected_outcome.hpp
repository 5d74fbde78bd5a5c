#pragma once

#include <cstdint>
#include <span>

#include "messages/telemetry_errc.hpp"

namespace cellos::guest_sim {

/// What the host must make of one frame; known from how the frame was made, never from decoding it.
struct expected_outcome {
  /// `none`: accepted.
  telemetry_errc refusal = telemetry_errc::none;
  bool heartbeat = false;
  /// Accepted, and tried to fill attribution.
  bool forged = false;
  /// Sequence numbers skipped just before this frame.
  std::uint32_t missing_seq = 0;
  /// By how much this frame moves the agent's drop counter.
  std::uint32_t dropped = 0;
};

struct made_frame {
  /// Length and body; valid until the next frame is made.
  std::span<const std::uint8_t> bytes;
  expected_outcome expected;
};

}  // namespace cellos::guest_sim
