#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cellos {

/// Two lower-case digits a byte, as sha256sum prints them.
inline std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
  }
  return text;
}

}  // namespace cellos
