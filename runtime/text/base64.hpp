#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cellos {

/// Of the padded form.
constexpr std::size_t base64_length(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

/// RFC 4648 section 4, padded. `out` has room for base64_length(bytes.size()) characters.
void encode_base64(std::span<const std::uint8_t> bytes, char* out);
void append_base64(std::string& out, std::span<const std::uint8_t> bytes);

/// RFC 4648 section 5, without padding.
std::string base64url(std::span<const std::uint8_t> bytes);

/// Strict: the one text encode_base64() writes for some bytes; no white space, no missing padding, no stray last bits.
/// Returns how many bytes were written to `out`, or nothing if `text` is not such a text or needs more than `out` has.
std::optional<std::size_t> decode_base64(std::string_view text, std::span<std::uint8_t> out);
std::optional<std::string> decode_base64(std::string_view text);

/// For texts that people handle, keys above all: either alphabet, but not both, with padding or without. Otherwise as
/// strict as decode_base64().
std::optional<std::size_t> decode_any_base64(std::string_view text, std::span<std::uint8_t> out);

}  // namespace cellos
