#include "messages/utf8.hpp"

#include <cstdint>

namespace cellos {

namespace {

struct lead_rule {
  std::size_t continuation_bytes;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

/// What must follow a lead byte; `continuation_bytes` 0 marks a byte that may not lead.
constexpr lead_rule rule_of(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

constexpr bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

bool is_valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const lead_rule rule = rule_of(*at);
    if (rule.continuation_bytes == 0 || static_cast<std::size_t>(end - at) <= rule.continuation_bytes) return false;
    if (at[1] < rule.second_min || at[1] > rule.second_max) return false;
    for (std::size_t i = 2; i <= rule.continuation_bytes; ++i) {
      if (!is_continuation(at[i])) return false;
    }
    at += rule.continuation_bytes + 1;
  }
  return true;
}

}  // namespace cellos
