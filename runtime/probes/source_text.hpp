#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/json_text.hpp"

/// Text as the kernel writes it, and JSON as readings have it.
namespace cellos {

/// All of `text` as a decimal number without a sign, or nothing.
template <class Number = std::uint64_t>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty() || text.front() == '-') return std::nullopt;
  return value;
}

/// What is before the separator, which is taken off `text` with it; all of it where there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto taken = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return taken;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

inline void write_flag(json::object_writer& object, std::string_view key, bool value) {
  object.member(key, [value](std::string& out) { out += value ? "true" : "false"; });
}

/// The members are written by `members(json::object_writer&)`, in RFC 8785 order.
template <class Members>
std::string json_object(Members&& members) {
  std::string out;
  {
    json::object_writer object{out};
    members(object);
  }
  return out;
}

}  // namespace cellos
