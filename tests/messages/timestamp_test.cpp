#include "messages/timestamp.hpp"

#include <random>
#include <string>

#define CAF_SUITE timestamp
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

namespace {

std::string text_of(wall_time time) { return std::string{timestamp_text{time}.view()}; }

/// The text of what a text spells; itself, for every text of the right form.
std::string respelled(std::string_view text) {
  const auto time = parse_timestamp(text);
  return time ? text_of(*time) : "refused";
}

constexpr wall_time day(int y, unsigned m, unsigned d) {
  return sys_days{year{y} / std::chrono::month{m} / std::chrono::day{d}};
}

}  // namespace

CAF_TEST(known_instants_have_known_texts) {
  CAF_CHECK_EQUAL(text_of(wall_time{}), "1970-01-01T00:00:00.000000000Z");
  CAF_CHECK_EQUAL(text_of(wall_time{1ns}), "1970-01-01T00:00:00.000000001Z");
  // What `date -u -d @N` says.
  CAF_CHECK_EQUAL(text_of(wall_time{951'782'400s}), "2000-02-29T00:00:00.000000000Z");
  CAF_CHECK_EQUAL(text_of(wall_time{1'000'000'000s}), "2001-09-09T01:46:40.000000000Z");
  CAF_CHECK_EQUAL(text_of(wall_time{4'294'967'296s}), "2106-02-07T06:28:16.000000000Z");
  CAF_CHECK(timestamp_text{wall_time{951'782'400s}}.time() == wall_time{951'782'400s});
  CAF_CHECK_EQUAL(text_of(day(2026, 11, 24) + 6h + 123'456'789ns), "2026-11-24T06:00:00.123456789Z");
}

CAF_TEST(the_last_nanosecond_belongs_to_its_own_day) {
  CAF_CHECK_EQUAL(text_of(day(2027, 1, 1) - 1ns), "2026-12-31T23:59:59.999999999Z");
  CAF_CHECK_EQUAL(text_of(wall_time{} - 1ns), "1969-12-31T23:59:59.999999999Z");
}

CAF_TEST(leap_years_go_by_the_gregorian_calendar) {
  CAF_CHECK_EQUAL(text_of(day(2028, 3, 1) - 1ns), "2028-02-29T23:59:59.999999999Z");
  CAF_CHECK_EQUAL(text_of(day(2100, 3, 1) - 1ns), "2100-02-28T23:59:59.999999999Z");
  CAF_CHECK_EQUAL(respelled("2000-02-29T00:00:00.000000000Z"), "2000-02-29T00:00:00.000000000Z");
  CAF_CHECK_EQUAL(respelled("2028-02-29T12:00:00.000000000Z"), "2028-02-29T12:00:00.000000000Z");
  CAF_CHECK(!parse_timestamp("2026-02-29T00:00:00.000000000Z"));
  CAF_CHECK(!parse_timestamp("2100-02-29T00:00:00.000000000Z"));
}

CAF_TEST(the_last_instant_64_bits_of_nanoseconds_can_hold_is_in_2262) {
  CAF_CHECK_EQUAL(text_of(wall_time::max()), "2262-04-11T23:47:16.854775807Z");
  CAF_CHECK(parse_timestamp("2262-04-11T23:47:16.854775807Z") == wall_time::max());
  CAF_CHECK_EQUAL(respelled("2262-01-01T00:00:00.000000000Z"), "2262-01-01T00:00:00.000000000Z");
}

CAF_TEST(instants_64_bits_of_nanoseconds_cannot_hold_are_refused) {
  for (auto text :
       {"2262-04-11T23:47:16.854775808Z", "2262-04-11T23:47:17.000000000Z", "2262-04-12T00:00:00.000000000Z",
        "9999-12-31T23:59:59.999999999Z", "1677-09-21T00:00:00.000000000Z", "0000-01-01T00:00:00.000000000Z"}) {
    CAF_CHECK_EQUAL(respelled(text), "refused");
  }
  CAF_CHECK_EQUAL(text_of(wall_time::min()), "1677-09-21T00:12:43.145224192Z");
}

CAF_TEST(instants_before_1970_have_texts_too) {
  CAF_CHECK_EQUAL(respelled("1678-01-01T00:00:00.000000001Z"), "1678-01-01T00:00:00.000000001Z");
  CAF_CHECK_EQUAL(respelled("1900-03-01T00:00:00.000000000Z"), "1900-03-01T00:00:00.000000000Z");
}

CAF_TEST(every_text_spells_the_instant_it_came_from) {
  std::mt19937_64 random{3};
  for (int i = 0; i < 20'000; ++i) {
    const wall_time time{std::chrono::nanoseconds{static_cast<std::int64_t>(random() >> 1)}};
    if (parse_timestamp(timestamp_text{time}.view()) != time) CAF_ERROR("not " << time.time_since_epoch().count());
  }
}

CAF_TEST(every_day_of_400_years_comes_back) {
  for (auto at = day(1678, 1, 1); at < day(2262, 1, 1); at += 24h) {
    if (parse_timestamp(timestamp_text{at}.view()) != at) CAF_ERROR("not " << text_of(at));
  }
}

CAF_TEST(text_order_is_time_order) {
  std::mt19937_64 random{5};
  for (int i = 0; i < 10'000; ++i) {
    const wall_time one{std::chrono::nanoseconds{static_cast<std::int64_t>(random() >> 1)}};
    const wall_time other = one + std::chrono::nanoseconds{1 + static_cast<std::int64_t>(random() >> 20)};
    if (other > one && text_of(one) >= text_of(other)) CAF_ERROR(text_of(one) << " is not before " << text_of(other));
  }
}

CAF_TEST(fields_out_of_range_are_refused) {
  for (auto text :
       {"2026-00-24T06:00:00.123456789Z", "2026-13-24T06:00:00.123456789Z", "2026-11-00T06:00:00.123456789Z",
        "2026-11-31T06:00:00.123456789Z", "2026-12-32T06:00:00.123456789Z", "2026-11-24T24:00:00.000000000Z",
        "2026-11-24T06:60:00.123456789Z", "2026-11-24T06:00:60.123456789Z"}) {
    CAF_CHECK_EQUAL(respelled(text), "refused");
  }
}

CAF_TEST(any_other_form_is_refused) {
  for (auto text :
       {"", "2026-11-24", "2026-11-24T06:00:00Z", "2026-11-24T06:00:00.123Z", "2026-11-24T06:00:00.123456789",
        "2026-11-24T06:00:00.1234567890Z", "2026-11-24t06:00:00.123456789z", "2026-11-24 06:00:00.123456789Z",
        "2026-11-24T06:00:00.123456789+", "2026-11-24T06:00:00,123456789Z", "2026-11-24T06:00:00.12345678 Z",
        "+026-11-24T06:00:00.123456789Z", "-026-11-24T06:00:00.123456789Z", "2026-11-24T06:00:00.-23456789Z",
        "2026-11-24T 6:00:00.123456789Z", "2026-11-24T06:00:0x.123456789Z", "2026/11/24T06:00:00.123456789Z",
        " 2026-11-24T06:00:00.123456789Z"}) {
    CAF_CHECK_EQUAL(respelled(text), "refused");
  }
}

CAF_TEST(one_character_changed_is_refused_or_another_instant) {
  const std::string good = "2026-11-24T06:00:00.123456789Z";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte <= 0xFF; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      const auto got = respelled(changed);
      if (got != "refused" && got != changed) CAF_ERROR(changed << " became " << got);
    }
  }
}
