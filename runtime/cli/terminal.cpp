#include "runtime/cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace cellos::cli {

namespace {

struct character {
  char32_t code;
  std::size_t bytes;
};

constexpr char32_t not_a_character = 0xfffd;

/// The first character of a text that is not empty; one byte of it where that is no UTF-8.
character first_of(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes > text.size()) return {not_a_character, 1};
  char32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {not_a_character, 1};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return {not_a_character, 1};
  return {code, bytes};
}

bool is_obeyed(char32_t code) {
  return (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
         code == not_a_character;
}

}  // namespace

terminal terminal_of(bool is_terminal, const char* term, const char* no_color) {
  terminal found;
  found.is_terminal = is_terminal;
  const std::string_view kind = term == nullptr ? "" : term;
  found.can_redraw = is_terminal && !kind.empty() && kind != "dumb";
  const bool unwanted = no_color != nullptr && *no_color != '\0';
  found.has_colours = found.can_redraw && !unwanted;
  return found;
}

namespace {

terminal behind(int descriptor) {
  return terminal_of(::isatty(descriptor) == 1, std::getenv("TERM"), std::getenv("NO_COLOR"));
}

}  // namespace

terminal standard_output() { return behind(STDOUT_FILENO); }

terminal standard_error() { return behind(STDERR_FILENO); }

std::string harmless_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const character next = first_of(text);
    if (is_obeyed(next.code)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(next.code));
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out;
}

}  // namespace cellos::cli
