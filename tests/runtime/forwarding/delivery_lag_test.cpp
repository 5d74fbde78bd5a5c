#include "runtime/forwarding/delivery_lag.hpp"

#include <chrono>
#include <string>

#include "messages/timestamp.hpp"
#include "tests/support/text_log.hpp"

#define CAF_SUITE delivery_lag
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const wall_time now{std::chrono::seconds{1'764'000'000}};

struct fixture {
  /// A line that is dated so long ago.
  void append(std::chrono::seconds ago, std::size_t filling = 0) {
    log.append("{\"time\":\"" + std::string{timestamp_text{now - ago}.view()} + "\",\"x\":\"" +
               std::string(filling, 'x') + "\"}\n");
  }
  forwarding_lag lag(segment_position delivered, segment_position sent = {}, std::uint64_t in_flight = 0) {
    return lag_of(log, {delivered, sent, in_flight}, now);
  }

  text_log log;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(delivery_lag_tests, fixture)

CAF_TEST(nothing_lags_where_all_that_is_committed_is_delivered) {
  CAF_CHECK(lag({}) == forwarding_lag{});
  append(60s);
  CAF_CHECK(lag({1, 0}) == forwarding_lag{});
  log.commit();
  CAF_CHECK(lag(log.end()) == forwarding_lag{});
}

CAF_TEST(lines_bytes_and_the_age_of_the_oldest_are_exact_where_little_waits) {
  append(90s);
  const auto first = log.end();
  append(30s);
  append(10s);
  log.commit();
  CAF_CHECK(lag({1, 0}) == (forwarding_lag{3, log.end().offset, 90s}));
  CAF_CHECK(lag(first) == (forwarding_lag{2, log.end().offset - first.offset, 30s}));
}

CAF_TEST(of_much_that_waits_what_was_not_sent_is_counted_by_its_length) {
  for (int i = 0; i < 5000; ++i) append(5000s - std::chrono::seconds{i}, static_cast<std::size_t>(i % 7));
  log.commit();
  const auto all = lag({1, 0});
  CAF_CHECK(all.bytes == log.end().offset);
  CAF_CHECK(all.age == 5000s);
  CAF_CHECK(all.lines > 4900);
  CAF_CHECK(all.lines < 5100);
  CAF_MESSAGE("those that wait for their answer are known");
  CAF_CHECK(lag({1, 0}, log.end(), 5000).lines == 5000);
}

CAF_TEST(what_retention_took_does_not_lag) {
  append(90s);
  log.rotate();
  append(30s);
  log.commit();
  log.remove_oldest();
  CAF_CHECK(lag({1, 0}) == (forwarding_lag{1, log.end().offset, 30s}));
}

CAF_TEST(a_line_without_a_date_or_of_the_future_has_no_age) {
  log.append("one\n");
  log.commit();
  CAF_CHECK(lag({1, 0}) == (forwarding_lag{1, 4, 0s}));
  log.rotate();
  append(-60s);
  log.commit();
  CAF_CHECK(lag({1, 4}).age == 0s);
}

CAF_TEST_FIXTURE_SCOPE_END()
