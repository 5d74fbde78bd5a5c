#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "messages/guest_declaration.hpp"
#include "messages/telemetry_errc.hpp"

namespace cellos {

/// What one frame body decodes to.
struct decoded_frame {
  /// `none`, `malformed_frame`, `unsupported_version` or `unknown_probe_source`.
  telemetry_errc refusal = telemetry_errc::none;
  /// Meaningful only when nothing was refused; borrows from the body.
  guest_declaration declaration;
  /// Whether the guest sent any of `wire::attribution_keys`. Counted, never read.
  bool forged_attribution = false;
  /// Version 1.1: number of this frame on its connection, from 0.
  std::optional<std::uint64_t> seq;
  /// Version 1.1: how many declarations the agent has dropped so far.
  std::optional<std::uint64_t> dropped;
};

/// Decodes one body (the bytes after the length). Total: every input gives a result; nothing is allocated.
///
/// The rules are the table in docs/wire-format.md; each row has a test in wire_codec_test.
decoded_frame decode_frame_body(std::span<const std::uint8_t> body);

}  // namespace cellos
