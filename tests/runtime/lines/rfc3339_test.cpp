#include "runtime/lines/rfc3339.hpp"

#include <utility>
#include <vector>

#include "messages/timestamp.hpp"

#define CAF_SUITE rfc3339
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string zulu(std::string_view text) { return in_zulu(text).value_or("refused"); }

std::string instant(std::string_view text) {
  const auto at = instant_of(text);
  return at ? std::string{timestamp_text{*at}.view()} : "refused";
}

}  // namespace

CAF_TEST(one_instant_is_written_one_way) {
  const std::vector<std::pair<std::string, std::string>> times{
      {"2026-11-24T06:00:00Z", "2026-11-24T06:00:00Z"},
      {"2026-11-24T06:00:00.120Z", "2026-11-24T06:00:00.120Z"},
      {"2026-11-24T08:00:00.5+02:00", "2026-11-24T06:00:00.5Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
      {"2024-02-29T23:59:59-00:01", "2024-03-01T00:00:59Z"},
      {"2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"},
      {"2017-01-01T00:59:60+01:00", "2016-12-31T23:59:60Z"},
  };
  for (const auto& [written, expected] : times) CAF_CHECK_EQUAL(zulu(written), expected);
}

CAF_TEST(what_is_no_date_and_time_is_refused) {
  for (const std::string text : {"",
                                 "2026-11-24",
                                 "2026-11-24T06:00:00",
                                 "2026-11-24 06:00:00Z",
                                 "2026-11-24T06:00Z",
                                 "2026-13-24T06:00:00Z",
                                 "2026-02-29T06:00:00Z",
                                 "2026-11-24T24:00:00Z",
                                 "2026-11-24T06:60:00Z",
                                 "2026-11-24T06:00:61Z",
                                 "2026-11-24T06:00:00.Z",
                                 "2026-11-24T06:00:00.5",
                                 "2026-11-24T06:00:00+2:00",
                                 "2026-11-24T06:00:00+02:60",
                                 "2026-11-24T06:00:00+0200",
                                 "2026-11-24T06:00:00ZZ",
                                 "2026-11-24t06:00:00Z",
                                 "2026-11-24T06:00:00z",
                                 "0000-01-01T00:00:00+00:01",
                                 "x026-11-24T06:00:00Z"}) {
    CAF_MESSAGE(text);
    CAF_CHECK_EQUAL(zulu(text), "refused");
  }
}

CAF_TEST(instants_have_nanoseconds) {
  CAF_CHECK_EQUAL(instant("2026-11-24T08:00:00+02:00"), "2026-11-24T06:00:00.000000000Z");
  CAF_CHECK_EQUAL(instant("2026-11-24T06:00:00.5Z"), "2026-11-24T06:00:00.500000000Z");
  CAF_CHECK_EQUAL(instant("2026-11-24T06:00:00.1234567899Z"), "2026-11-24T06:00:00.123456789Z");
  CAF_CHECK_EQUAL(instant("0001-01-01T00:00:00Z"), "refused");
  CAF_CHECK_EQUAL(instant("yesterday"), "refused");
}
