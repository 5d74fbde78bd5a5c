#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "messages/node_message.hpp"

/// The bytes that travel between nodes, inside CAF's own messages: CAF's types and their names stay out of them, so
/// that a host and a collector of different versions understand each other.
///
///     message = kind:u8 needs:u8 field*
///     field   = tag:u16 length:u32 byte*length          all numbers little-endian
///
/// `needs` is the lowest codec version whose reader understands the message. A reader skips fields it does not know: a
/// later version adds fields with new tags, and raises `needs` only where skipping them would be wrong. No tag comes
/// twice. Numbers have their full width, arrays their length.
namespace cellos {

/// What this codec writes and reads.
inline constexpr std::uint8_t node_codec_version = 1;

enum class node_codec_errc : std::uint8_t { none, malformed, too_large, unsupported_version };
std::string_view to_string(node_codec_errc error);

template <class Message>
struct decoded_message {
  /// `message` means something only where this is `none`.
  node_codec_errc refusal = node_codec_errc::malformed;
  Message message{};

  explicit operator bool() const { return refusal == node_codec_errc::none; }
};

using node_bytes = std::vector<char>;

node_bytes encode(const node_hello& message);
node_bytes encode(const node_welcome& message);
/// The one copy of the lines that is made.
node_bytes encode(const node_lines& message);
node_bytes encode(const node_answer& message);
node_bytes encode(const node_alive& message);

// Total: every input gives a result. Nothing is allocated but a host id of at most `node_limits::longest_host_id`.
// What a message says is within its own rules; whether it is true, the receiver finds out.

decoded_message<node_hello> decode_hello(std::span<const char> bytes);
decoded_message<node_welcome> decode_welcome(std::span<const char> bytes);
/// Borrows from `bytes`.
decoded_message<node_lines> decode_lines(std::span<const char> bytes);
decoded_message<node_answer> decode_answer(std::span<const char> bytes);
decoded_message<node_alive> decode_alive(std::span<const char> bytes);

}  // namespace cellos
