#include "messages/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace cellos::json {

namespace {

constexpr bool needs_escape(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte < 0x20 || byte == '"' || byte == '\\';
}

void append_escape(std::string& out, char character) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(character);
  switch (character) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default:
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 0xF];
  }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  auto plain_from = text.begin();
  while (true) {
    // A lambda, so that it is inlined: this looks at every byte of every name a guest sends.
    const auto special = std::find_if(plain_from, text.end(), [](char character) { return needs_escape(character); });
    out += std::string_view{plain_from, special};
    if (special == text.end()) break;
    append_escape(out, *special);
    plain_from = special + 1;
  }
  out += '"';
}

void append_decimal(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out += std::string_view{digits, end};
}

void object_writer::append_key(std::string_view key) {
  if (!first_) out_ += ',';
  first_ = false;
  append_string(out_, key);
  out_ += ':';
}

void object_writer::text(std::string_view key, std::string_view value) {
  append_key(key);
  append_string(out_, value);
}

void object_writer::number(std::string_view key, std::uint64_t value) {
  append_key(key);
  append_decimal(out_, value);
}

void object_writer::count(std::string_view key, std::uint64_t value) {
  append_key(key);
  out_ += '"';
  append_decimal(out_, value);
  out_ += '"';
}

}  // namespace cellos::json
