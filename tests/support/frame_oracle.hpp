#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace cellos {

/// Verifies a body a second time, by other means than the decoder (RFC 8949's own pseudo-code for the form, libcbor's
/// document tree for the meaning), and compares. Empty when `decode_frame_body` gave the same result and, of an
/// accepted body, the same values; else what differs.
std::string disagreement_about(std::span<const std::uint8_t> body);

}  // namespace cellos
