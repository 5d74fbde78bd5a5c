#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Constants of the guest -> host wire format. Pairs with docs/wire-format.md; locked by wire_format_test.
namespace cellos::wire {

/// Port the guest connects to (host CID 2); the host-side socket is `<vsock_uds_base>_9001`. Upstream:
/// VSOCK_TELEMETRY_PORT.
inline constexpr std::uint32_t vsock_telemetry_port = 9001;

/// Major of `content_version` this host understands. Upstream: WIRE_CONTENT_VERSION_MAJOR.
inline constexpr std::uint16_t wire_content_version_major = 1;

/// 1.0, the original agent's; 1.1 adds the optional keys `seq` and `dropped`.
inline constexpr std::uint16_t content_version_1_0 = 0x0100;
inline constexpr std::uint16_t content_version_1_1 = 0x0101;

constexpr std::uint16_t version_major(std::uint16_t content_version) { return content_version >> 8; }

/// Bytes of the little-endian body length in front of every body.
inline constexpr std::size_t frame_header_bytes = 4;

/// Largest body. Upstream: MAX_FRAME_BODY_BYTES; a larger length means the boundaries are lost.
inline constexpr std::size_t max_frame_body_bytes = 4096;

inline constexpr std::size_t max_frame_bytes = frame_header_bytes + max_frame_body_bytes;

/// Arrays, maps and strings of indefinite length within each other, the frame's own map included. Chosen here: bounds
/// the decoder's stack.
inline constexpr std::size_t max_nesting = 8;

inline constexpr std::string_view key_content_version = "content_version";
inline constexpr std::string_view key_probe_source = "probe_source";
inline constexpr std::string_view key_guest_pid = "guest_pid";
inline constexpr std::string_view key_guest_comm = "guest_comm";
inline constexpr std::string_view key_guest_monotonic_ns = "guest_monotonic_ns";
inline constexpr std::string_view key_seq = "seq";
inline constexpr std::string_view key_dropped = "dropped";

/// Keys only the host may fill. A guest that sends one is counted (`forged_attribution`); the value is skipped unread.
inline constexpr std::array<std::string_view, 5> attribution_keys{
    "cell_id", "run_id", "spec_signature_hash", "host_received_at", "output",
};

/// The length field of a frame whose first four bytes start at `header`.
constexpr std::uint32_t body_length(const std::uint8_t* header) {
  return std::uint32_t{header[0]} | std::uint32_t{header[1]} << 8 | std::uint32_t{header[2]} << 16 |
         std::uint32_t{header[3]} << 24;
}

constexpr bool is_frameable(std::uint32_t body_bytes) { return body_bytes != 0 && body_bytes <= max_frame_body_bytes; }

}  // namespace cellos::wire
