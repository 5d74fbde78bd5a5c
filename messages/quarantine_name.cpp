#include "messages/quarantine_name.hpp"

#include <charconv>
#include <chrono>
#include <limits>
#include <system_error>

namespace cellos {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view extension = ".bin";

/// Takes `-<digits>` off the end of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(dash + 1);
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  text = text.substr(0, dash);
  return number;
}

/// Whether a `wall_time` can be that long after 1970.
constexpr bool is_instant(std::uint64_t since_epoch) {
  constexpr auto last = std::chrono::duration_cast<milliseconds>(wall_time::max().time_since_epoch());
  return since_epoch <= static_cast<std::uint64_t>(last.count());
}

}  // namespace

std::string to_string(const quarantine_name& name) {
  const auto time = std::chrono::duration_cast<milliseconds>(name.received_at.time_since_epoch());
  std::string text = name.cell_id + "-" + std::to_string(time.count()) + "-" + std::to_string(name.sequence);
  return text.append(extension);
}

std::optional<quarantine_name> parse_quarantine_name(std::string_view file_name) {
  if (!file_name.ends_with(extension)) return std::nullopt;
  file_name.remove_suffix(extension.size());
  const auto sequence = take_number(file_name);
  const auto time = take_number(file_name);
  if (!sequence || !time || !is_instant(*time) || file_name.empty()) return std::nullopt;
  return quarantine_name{std::string{file_name}, wall_time{milliseconds{*time}}, *sequence};
}

}  // namespace cellos
