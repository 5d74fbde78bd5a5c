#include "runtime/text/units.hpp"

#include <charconv>
#include <limits>
#include <span>

namespace cellos {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr unit nanoseconds_of[] = {
    {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

constexpr unit bytes_of[] = {
    {"B", 1},
    {"kB", 1'000},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", std::uint64_t{1} << 10},
    {"MiB", std::uint64_t{1} << 20},
    {"GiB", std::uint64_t{1} << 30},
    {"TiB", std::uint64_t{1} << 40},
};

constexpr std::size_t most_decimals = 9;

/// Takes the digits off the front of `text`; nothing when there are none, or too many for 64 bits.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// `fraction / scale` of `factor`, rounded down, without leaving 64 bits; `fraction < scale <= 10^9`.
constexpr std::uint64_t part_of(std::uint64_t factor, std::uint64_t fraction, std::uint64_t scale) {
  return factor / scale * fraction + factor % scale * fraction / scale;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const unit> units) {
  auto whole = take_digits(text);
  if (!whole) return std::nullopt;
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    auto before = text.size();
    auto decimals = take_digits(text);
    if (!decimals || before - text.size() > most_decimals) return std::nullopt;
    fraction = *decimals;
    for (auto digits = before - text.size(); digits > 0; --digits) scale *= 10;
  }
  for (const auto& [name, factor] : units) {
    if (text != name) continue;
    if (*whole > std::numeric_limits<std::int64_t>::max() / factor - 1) return std::nullopt;
    return *whole * factor + part_of(factor, fraction, scale);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  auto count = parse_quantity(text, nanoseconds_of);
  if (!count || *count == 0) return std::nullopt;
  std::chrono::nanoseconds duration{static_cast<std::int64_t>(*count)};
  if (duration > longest_duration) return std::nullopt;
  return duration;
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse_quantity(text, bytes_of); }

}  // namespace cellos
