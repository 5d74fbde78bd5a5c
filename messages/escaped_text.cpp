#include "messages/escaped_text.hpp"

namespace cellos {

std::string escaped(std::string_view text, std::size_t max_bytes) { return escaped(text, max_bytes, "\\x22"); }

std::string escaped(std::string_view text, std::size_t max_bytes, std::string_view quote) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (char character : text.substr(0, max_bytes)) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"') {
      out += quote;
    } else if (byte >= 0x20 && byte < 0x7F && character != '\\') {
      out += character;
    } else {
      out += "\\x";
      out += hex[byte >> 4];
      out += hex[byte & 0xF];
    }
  }
  if (text.size() > max_bytes) out += "...";
  return out;
}

}  // namespace cellos
