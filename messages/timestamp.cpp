#include "messages/timestamp.hpp"

#include <charconv>

namespace cellos {

namespace {

constexpr std::string_view shape = "0000-00-00T00:00:00.000000000Z";

void put(char* at, int width, std::uint64_t value) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

std::optional<std::int64_t> number_at(std::string_view text, std::size_t at, std::size_t width) {
  std::int64_t value = 0;
  const char* const first = text.data() + at;
  const auto [end, error] = std::from_chars(first, first + width, value);
  if (error != std::errc{} || end != first + width || value < 0) return std::nullopt;
  return value;
}

}  // namespace

timestamp_text::timestamp_text(wall_time time) : time_(time) {
  using namespace std::chrono;
  using namespace std::chrono_literals;
  // By the remainder: the start of the earliest day is before what nanoseconds can count.
  const year_month_day date{floor<days>(time)};
  const nanoseconds since_midnight = time.time_since_epoch() % days{1};
  const hh_mm_ss clock{since_midnight < 0ns ? since_midnight + days{1} : since_midnight};
  shape.copy(text_.data(), text_.size());
  put(text_.data(), 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put(text_.data() + 5, 2, static_cast<unsigned>(date.month()));
  put(text_.data() + 8, 2, static_cast<unsigned>(date.day()));
  put(text_.data() + 11, 2, static_cast<std::uint64_t>(clock.hours().count()));
  put(text_.data() + 14, 2, static_cast<std::uint64_t>(clock.minutes().count()));
  put(text_.data() + 17, 2, static_cast<std::uint64_t>(clock.seconds().count()));
  put(text_.data() + 20, 9, static_cast<std::uint64_t>(clock.subseconds().count()));
}

std::optional<wall_time> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t width) { return *number_at(text, at, width); };
  const year_month_day date{year{static_cast<int>(part(0, 4))}, month{static_cast<unsigned>(part(5, 2))},
                            day{static_cast<unsigned>(part(8, 2))}};
  if (!date.ok() || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) return std::nullopt;
  const sys_seconds second = sys_days{date} + hours{part(11, 2)} + minutes{part(14, 2)} + seconds{part(17, 2)};
  const nanoseconds fraction{part(20, 9)};
  // 64 bits of nanoseconds reach from 1677 to 2262.
  const auto first = ceil<seconds>(wall_time::min());
  const auto last = floor<seconds>(wall_time::max());
  if (second < first || second > last || (second == last && fraction > wall_time::max() - last)) return std::nullopt;
  return second + fraction;
}

}  // namespace cellos
