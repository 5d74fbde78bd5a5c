#include "runtime/lines/rfc3339.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "messages/timestamp.hpp"

namespace cellos {

namespace {

using std::chrono::sys_seconds;

struct moment {
  sys_seconds second;
  /// With its point; as written.
  std::string_view fraction;
  bool leap_second = false;
};

/// Digits at `begin`; -1 if there are others.
int number_at(std::string_view text, std::size_t begin, std::size_t digits) {
  int number = 0;
  for (std::size_t i = begin; i < begin + digits; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

bool has(std::string_view text, std::size_t at, char expected) { return at < text.size() && text[at] == expected; }

/// Nothing if `text` is neither `Z` nor `+hh:mm`.
std::optional<std::chrono::minutes> offset_of(std::string_view text) {
  if (text == "Z") return std::chrono::minutes{0};
  const int hours = number_at(text, 1, 2);
  const int minutes = number_at(text, 4, 2);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return text[0] == '-' ? -offset : offset;
}

std::optional<moment> read(std::string_view text) {
  using namespace std::chrono;
  constexpr std::size_t fraction_begin = 19;
  const bool shaped =
      has(text, 4, '-') && has(text, 7, '-') && has(text, 10, 'T') && has(text, 13, ':') && has(text, 16, ':');
  if (!shaped) return std::nullopt;
  const int years = number_at(text, 0, 4);
  const int months = number_at(text, 5, 2);
  const int day_of_month = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  if (years < 0 || months < 1 || day_of_month < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return {};
  if (second < 0 || second > 60) return std::nullopt;
  const year_month_day date{year{years}, month{static_cast<unsigned>(months)},
                            day{static_cast<unsigned>(day_of_month)}};
  if (!date.ok()) return std::nullopt;

  std::size_t end = fraction_begin;
  if (has(text, end, '.')) {
    for (++end; number_at(text, end, 1) >= 0;) ++end;
    if (end == fraction_begin + 1) return std::nullopt;
  }
  const auto offset = offset_of(text.substr(end));
  if (!offset) return std::nullopt;
  moment read;
  read.second = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} - *offset;
  read.fraction = text.substr(fraction_begin, end - fraction_begin);
  read.leap_second = second == 60;
  return read;
}

}  // namespace

std::optional<std::string> in_zulu(std::string_view text) {
  using namespace std::chrono;
  const auto at = read(text);
  if (!at) return std::nullopt;
  // A leap second is written as it came: one second before the next minute begins.
  const sys_seconds shown = at->leap_second ? at->second - seconds{1} : at->second;
  const year_month_day date{floor<days>(shown)};
  const hh_mm_ss clock{shown - floor<days>(shown)};
  const int years = static_cast<int>(date.year());
  if (years < 0 || years > 9999) return std::nullopt;
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d", years, static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()) + (at->leap_second ? 1 : 0));
  return std::string{out.data()} + std::string{at->fraction} + "Z";
}

std::optional<wall_time> instant_of(std::string_view text) {
  const auto zulu = in_zulu(text);
  if (!zulu) return std::nullopt;
  std::string whole = zulu->substr(0, 19);
  std::string fraction = zulu->size() > 21 ? zulu->substr(20, zulu->size() - 21) : "";
  fraction.resize(9, '0');
  return parse_timestamp(whole + "." + fraction + "Z");
}

}  // namespace cellos
