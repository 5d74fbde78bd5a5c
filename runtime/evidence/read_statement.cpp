#include "runtime/evidence/read_statement.hpp"

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace cellos {

namespace {

std::string text_in(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

std::uint64_t count_in(const nlohmann::json& object, const char* name) {
  const std::string digits = text_in(object, name);
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

}  // namespace

std::optional<signing_statement> read_statement(const nlohmann::json& object) {
  const auto member = object.find("signing");
  if (member == object.end() || !member->is_object()) return std::nullopt;
  const auto mode = parse_signing_mode(text_in(*member, "mode"));
  if (!mode) return std::nullopt;
  const auto interval = static_cast<std::int64_t>(count_in(*member, "intervalNs"));
  return signing_statement{*mode, count_in(*member, "events"), std::chrono::nanoseconds{interval}};
}

}  // namespace cellos
