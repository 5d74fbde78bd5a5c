#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cellos::test {

/// BASP's operations, as CAF 0.17 numbers them.
enum basp_operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
};

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

struct basp_header {
  std::uint8_t operation = 0;
  std::uint8_t flags = 0;
  std::uint64_t bits = 0;
  std::uint64_t source = 0;
  std::uint64_t destination = 0;

  /// With a payload of so many bytes.
  std::string bytes(std::uint64_t payload) const {
    return big_endian(operation, 1) + std::string(2, '\0') + big_endian(flags, 1) + big_endian(payload, 4) +
           big_endian(bits, 8) + big_endian(source, 8) + big_endian(destination, 8);
  }
  std::string with(const std::string& payload) const { return bytes(payload.size()) + payload; }
};

/// Seven bits a byte, the lowest first.
inline std::string length_bytes(std::uint64_t length) {
  std::string text;
  for (; length >= 0x80; length >>= 7) text += static_cast<char>(length | 0x80);
  return text + static_cast<char>(length);
}

inline std::string text_bytes(std::string_view text) { return length_bytes(text.size()) + std::string{text}; }

/// A message's types (`@<>+@atom+@str`) and the bytes of its values.
inline std::string message_bytes(std::string_view types, std::string_view values) {
  return std::string(2, '\0') + text_bytes(types) + std::string{values};
}

/// The payload of a direct message that nobody else passes on.
inline std::string direct_bytes(std::string_view types, std::string_view values) {
  return std::string(1, '\0') + message_bytes(types, values);
}

/// An id of the usual kind: its kind, a process's number, 20 bytes.
inline std::string node_bytes(char fill) {
  return big_endian(0x00003e9aab9bac79ULL, 8) + big_endian(4711, 4) + std::string(20, fill);
}

/// Bits of a direct message.
inline constexpr std::uint64_t asynchronous = 1ULL << 60;
inline constexpr std::uint64_t answers = 1ULL << 63;

}  // namespace cellos::test
