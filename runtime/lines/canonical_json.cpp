#include "runtime/lines/canonical_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/json_text.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

/// `text` is UTF-8, which the parser has checked.
std::u16string utf16(std::string_view text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t j = 1; j < length; ++j) point = point << 6 | (static_cast<unsigned char>(text[i + j]) & 0x3fu);
    i += length;
    if (point < 0x10000) {
      out += static_cast<char16_t>(point);
    } else {
      out += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      out += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return out;
}

bool append_object(std::string& out, dom::object object) {
  std::vector<std::pair<std::u16string, dom::key_value_pair>> members;
  for (const dom::key_value_pair member : object) members.emplace_back(utf16(member.key), member);
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(members.begin(), members.end(), by_key);
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) {
      if (members[i - 1].first == members[i].first) return false;
      out += ',';
    }
    json::append_string(out, members[i].second.key);
    out += ':';
    if (!append_canonical(out, members[i].second.value)) return false;
  }
  out += '}';
  return true;
}

bool append_array(std::string& out, dom::array array) {
  out += '[';
  bool first = true;
  for (const dom::element each : array) {
    if (!std::exchange(first, false)) out += ',';
    if (!append_canonical(out, each)) return false;
  }
  out += ']';
  return true;
}

}  // namespace

std::string canonical_number(double number) {
  if (number == 0) return "0";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific).ptr;
  // d.ddde[+-]xx
  std::string_view written{text.data(), static_cast<std::size_t>(end - text.data())};
  const bool negative = written.front() == '-';
  if (negative) written.remove_prefix(1);
  const std::size_t mark = written.find('e');
  std::string digits{written.substr(0, 1)};
  if (mark > 1) digits += written.substr(2, mark - 2);
  int exponent = 0;
  const char* exponent_begin = written.data() + mark + (written[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_begin, written.data() + written.size(), exponent);

  // Where the decimal point stands, counted from before the first digit.
  const int point = exponent + 1;
  const int count = static_cast<int>(digits.size());
  std::string out = negative ? "-" : "";
  if (point > 21 || point <= -6) {
    out += digits.substr(0, 1);
    if (count > 1) out += '.' + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    return out + std::to_string(exponent < 0 ? -exponent : exponent);
  }
  if (point <= 0) return out + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (point >= count) return out + digits + std::string(static_cast<std::size_t>(point - count), '0');
  return out + digits.insert(static_cast<std::size_t>(point), 1, '.');
}

bool append_canonical(std::string& out, dom::element value) {
  switch (value.type()) {
    case dom::element_type::OBJECT: return append_object(out, value.get_object().value_unsafe());
    case dom::element_type::ARRAY: return append_array(out, value.get_array().value_unsafe());
    case dom::element_type::STRING: json::append_string(out, value.get_string().value_unsafe()); return true;
    case dom::element_type::INT64: out += std::to_string(value.get_int64().value_unsafe()); return true;
    case dom::element_type::UINT64: json::append_decimal(out, value.get_uint64().value_unsafe()); return true;
    case dom::element_type::DOUBLE: out += canonical_number(value.get_double().value_unsafe()); return true;
    case dom::element_type::BOOL: out += value.get_bool().value_unsafe() ? "true" : "false"; return true;
    case dom::element_type::NULL_VALUE: out += "null"; return true;
  }
  return false;
}

}  // namespace cellos
