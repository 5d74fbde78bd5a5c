#include "runtime/http_forwarding/http_delivery.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/signing/sha256.hpp"
#include "tests/support/text_log.hpp"

#define CAF_SUITE http_delivery
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using note_kind = receiver_note::kind;

std::string line(int number) {
  return R"({"id":"host-a/)" + std::to_string(number) + R"(","subject":"urn:cellos:cell:c1"})" + "\n";
}
const std::size_t line_bytes = line(1).size();

struct fixture {
  fixture() {
    for (int i = 1; i <= 8; ++i) log.append(line(i));
    log.commit();
  }

  http_delivery& start(bool batched, std::optional<http_cursor> cursor = std::nullopt) {
    settings.batched = batched;
    delivery.emplace(settings, log, cursor);
    delivery->tick(now);
    return *delivery;
  }
  /// What is sent next, without its answer.
  event_post request() {
    delivery->tick(now);
    auto sent = delivery->take_request();
    CAF_REQUIRE(sent.has_value());
    number = sent->number;
    return *sent;
  }
  void answer(int status, std::chrono::seconds retry_after = 0s) {
    delivery->answered(number, {status, "", retry_after}, now);
  }
  std::size_t count(note_kind kind) {
    for (auto& each : delivery->take_notes(now)) notes.push_back(each);
    return static_cast<std::size_t>(std::ranges::count(notes, kind, &receiver_note::what));
  }
  static std::string array(int from, int to) {
    std::string text = "[";
    for (int i = from; i <= to; ++i) text += line(i).substr(0, line(i).size() - 1) + (i < to ? "," : "]");
    return text;
  }

  http_delivery_settings settings;
  text_log log;
  monotonic_time now{1h};
  std::optional<http_delivery> delivery;
  std::uint64_t number = 0;
  std::vector<receiver_note> notes;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(http_delivery_tests, fixture)

CAF_TEST(a_line_a_request_one_after_the_other) {
  start(false);
  for (int i = 1; i <= 8; ++i) {
    const auto sent = request();
    CAF_CHECK_EQUAL(sent.body + "\n", line(i));
    CAF_CHECK(!sent.is_batch);
    answer(i % 2 == 0 ? 200 : 204);
  }
  CAF_CHECK(delivery->status().is_complete);
  CAF_CHECK_EQUAL(count(note_kind::reached), 1u);
  CAF_CHECK((delivery->cursor() == http_cursor{log.end(), sha256::of(line(8))}));
}

CAF_TEST(many_lines_are_an_array) {
  start(true);
  const auto sent = request();
  CAF_CHECK(sent.is_batch);
  CAF_CHECK_EQUAL(sent.body, array(1, 8));
  answer(202);
  CAF_CHECK(delivery->status().is_complete);
  CAF_CHECK_EQUAL(delivery->status().lines_delivered, 8u);
}

CAF_TEST(a_start_goes_on_at_the_cursor_if_its_line_is_this_log_s) {
  const segment_position third{1, 3 * line_bytes};
  start(true, http_cursor{third, sha256::of(line(3))});
  CAF_CHECK_EQUAL(request().body, array(4, 8));
  CAF_CHECK_EQUAL(count(note_kind::forked), 0u);
  start(true, http_cursor{third, sha256::of(line(4))});
  CAF_CHECK_EQUAL(request().body, array(1, 8));
  CAF_CHECK_EQUAL(count(note_kind::forked), 1u);
}

CAF_TEST(a_receiver_that_takes_less_gets_half_and_then_half_of_that) {
  start(true);
  CAF_CHECK_EQUAL(request().body, array(1, 8));
  answer(413);
  CAF_CHECK_EQUAL(request().body, array(1, 4));
  answer(413);
  CAF_CHECK_EQUAL(request().body, array(1, 2));
  answer(200);
  CAF_MESSAGE("and does so from then on");
  CAF_CHECK_EQUAL(request().body, array(3, 4));
  answer(413);
  CAF_CHECK_EQUAL(request().body, array(3, 3));
  answer(413);
  CAF_MESSAGE("a single line is as small as it gets");
  CAF_CHECK(delivery->status().is_stopped);
  CAF_CHECK_EQUAL(count(note_kind::stopped), 1u);
  CAF_CHECK((notes.back().from == segment_position{1, 2 * line_bytes}));
}

CAF_TEST(a_pause_that_is_asked_for_is_made_up_to_a_limit) {
  start(true);
  for (const int status : {429, 503, 408, 425}) {
    (void)request();
    answer(status, 7s);
    now += 6999ms;
    delivery->tick(now);
    CAF_CHECK(!delivery->take_request());
    now += 1ms;
  }
  (void)request();
  answer(503, std::chrono::hours{48});
  CAF_CHECK(delivery->next_wake() == now + 10min);
  now += 10min;
  CAF_CHECK_EQUAL(request().body, array(1, 8));
  CAF_CHECK_EQUAL(count(note_kind::stopped), 0u);
}

CAF_TEST(a_pause_without_end_is_as_long_as_the_limit) {
  start(true);
  (void)request();
  answer(503, std::chrono::seconds::max());
  CAF_CHECK(delivery->next_wake() == now + 10min);
}

CAF_TEST(what_a_server_or_the_network_fails_at_is_tried_again_after_growing_pauses) {
  settings.pauses = {100ms, 30'000ms};
  start(true);
  std::chrono::nanoseconds longest{0};
  for (int i = 0; i < 40; ++i) {
    CAF_CHECK_EQUAL(request().body, array(1, 8));
    answer(i % 2 == 0 ? 500 : 0);
    const auto pause = std::max(delivery->next_wake() - now, std::chrono::nanoseconds{0});
    CAF_CHECK(pause <= std::min<std::chrono::nanoseconds>(100ms * (1LL << std::min(i, 20)), 30s));
    longest = std::max(longest, pause);
    now += pause;
  }
  CAF_CHECK(longest > 5s);
  CAF_MESSAGE("one that answers nothing is no exception");
  (void)request();
  now += 15s;
  delivery->tick(now);
  now += 30s;
  CAF_CHECK_EQUAL(request().body, array(1, 8));
}

CAF_TEST(a_line_that_is_refused_is_found_and_named) {
  start(true);
  for (int refusals = 0; refusals < 20 && !delivery->status().is_stopped; ++refusals) {
    const bool has_it = request().body.find("host-a/6\"") != std::string::npos;
    answer(has_it ? 400 : 200);
  }
  CAF_REQUIRE(delivery->status().is_stopped);
  CAF_CHECK_EQUAL(count(note_kind::stopped), 1u);
  CAF_CHECK((notes.back().from == segment_position{1, 5 * line_bytes}));
  CAF_CHECK_NOT_EQUAL(notes.back().cause.find("HTTP 400"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(notes.back().cause.find("\"host-a/6\""), std::string::npos);
  CAF_CHECK((delivery->status().delivered == segment_position{1, 5 * line_bytes}));
  now += 24h;
  delivery->tick(now);
  CAF_CHECK(!delivery->take_request());
  CAF_MESSAGE("when asked to it goes on with that line");
  delivery->go_on();
  CAF_CHECK_NOT_EQUAL(request().body.find("host-a/6\""), std::string::npos);
  answer(200);
  CAF_CHECK_NOT_EQUAL(request().body.find("host-a/7\""), std::string::npos);
}

CAF_TEST(a_line_that_is_to_be_left_out_is) {
  settings.skip = {"host-a/1", "host-a/4", "host-a/8"};
  start(true);
  CAF_CHECK_EQUAL(request().body, array(2, 3));
  answer(200);
  CAF_CHECK_EQUAL(request().body, array(5, 7));
  answer(200);
  CAF_CHECK(delivery->status().is_complete);
  CAF_CHECK_EQUAL(count(note_kind::line_skipped), 3u);
  CAF_CHECK((delivery->cursor() == http_cursor{log.end(), sha256::of(line(8))}));
}

CAF_TEST(who_is_not_let_in_stops_at_once) {
  for (const int status : {301, 302, 307, 401, 403, 404, 410}) {
    start(true);
    (void)request();
    answer(status);
    CAF_CHECK(delivery->status().is_stopped);
    CAF_CHECK(!delivery->take_request());
  }
}

CAF_TEST(lines_that_were_removed_here_are_said_to_be_missing_there) {
  log.rotate();
  log.append(line(9));
  log.commit();
  const http_cursor cursor{{1, 3 * line_bytes}, sha256::of(line(3))};
  log.remove_oldest();
  start(true, cursor);
  CAF_CHECK_EQUAL(request().body, array(9, 9));
  CAF_CHECK_EQUAL(count(note_kind::lines_undelivered), 1u);
  CAF_CHECK((notes.back().to == segment_position{2, 0}));
}

CAF_TEST(an_answer_to_another_request_means_nothing) {
  start(true);
  (void)request();
  delivery->answered(number + 1, {200, "", 0s}, now);
  delivery->answered(number - 1, {200, "", 0s}, now);
  CAF_CHECK_EQUAL(delivery->status().lines_delivered, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
