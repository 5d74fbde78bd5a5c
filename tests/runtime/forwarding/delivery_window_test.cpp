#include "runtime/forwarding/delivery_window.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "runtime/forwarding/collector_order.hpp"

#define CAF_SUITE delivery_window
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

using consequence = delivery_window::consequence;
using enum collector_failure;

struct fixture {
  fixture() { window.restart({1, 0}, 250); }

  std::uint64_t send(std::uint64_t from) { return window.sent({1, from}, {1, from + 100}, 100, now); }
  auto answer(std::uint64_t number, answer_kind kind, std::uint64_t offset) {
    return window.answered(number, {kind, {1, offset}}, now);
  }

  delivery_window window;
  monotonic_time now{1h};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(delivery_window_tests, fixture)

CAF_TEST(credit_is_bytes_that_are_not_answered) {
  CAF_CHECK(window.has_room_for(1000));
  const auto first = send(0);
  CAF_CHECK(window.has_room_for(150) && !window.has_room_for(151));
  CAF_CHECK(answer(first, answer_kind::durable, 100) == consequence::delivered);
  CAF_CHECK(window.has_room_for(1000));
  CAF_CHECK(window.delivered() == (segment_position{1, 100}));
}

CAF_TEST(small_batches_are_counted_as_well) {
  window.restart({1, 0}, 1 << 20);
  for (std::uint64_t sent = 0; sent < node_limits::most_unanswered; ++sent) {
    CAF_CHECK(window.has_room_for(1));
    (void)send(100 * sent);
  }
  CAF_CHECK(!window.has_room_for(1));
}

CAF_TEST(an_answer_settles_what_was_sent_before_it) {
  const auto first = send(0);
  const auto second = send(100);
  CAF_CHECK(answer(second, answer_kind::durable, 200) == consequence::delivered);
  CAF_CHECK(window.is_empty());
  CAF_CHECK(answer(first, answer_kind::durable, 100) == consequence::none);
  CAF_CHECK(answer(second, answer_kind::durable, 200) == consequence::none);
  CAF_CHECK(window.delivered() == (segment_position{1, 200}));
}

CAF_TEST(sending_goes_back_where_the_copy_ends_and_what_came_before_is_still_answered) {
  const auto first = send(0);
  const auto second = send(100);
  const auto third = send(200);
  CAF_CHECK(answer(second, answer_kind::again, 100) == consequence::went_back);
  CAF_CHECK(window.next() == (segment_position{1, 100}));
  CAF_CHECK(answer(third, answer_kind::again, 100) == consequence::none);
  CAF_CHECK(answer(first, answer_kind::durable, 100) == consequence::delivered);
  CAF_CHECK(window.next() == (segment_position{1, 100}));
  const auto resent = send(100);
  CAF_CHECK(answer(resent, answer_kind::durable, 200) == consequence::delivered);
}

CAF_TEST(a_busy_collector_gets_the_same_lines_later) {
  const auto first = send(0);
  const auto second = send(100);
  CAF_CHECK(answer(first, answer_kind::busy, 0) == consequence::pause);
  CAF_CHECK(window.next() == (segment_position{1, 0}));
  CAF_CHECK(answer(second, answer_kind::again, 0) == consequence::none);
  CAF_CHECK(window.is_empty());
}

CAF_TEST(an_answer_that_no_copy_can_give_leads_to_another_greeting) {
  auto number = send(0);
  CAF_CHECK(answer(number, answer_kind::durable, 50) == consequence::greet_again);
  CAF_CHECK(answer(number, answer_kind::durable, 5000) == consequence::greet_again);
  CAF_CHECK(answer(number, answer_kind::again, 5000) == consequence::greet_again);
  CAF_CHECK(answer(number, answer_kind::durable, 100) == consequence::delivered);
  number = send(100);
  // What was durable is so no more.
  CAF_CHECK(answer(number, answer_kind::again, 0) == consequence::greet_again);
  CAF_CHECK(answer(number, answer_kind::refused, 0) == consequence::refused);
}

CAF_TEST(waiting_is_counted_from_the_oldest_or_from_the_last_answer) {
  CAF_CHECK(!window.waiting_since());
  const auto first = send(0);
  const auto began = now;
  now += 1s;
  (void)send(100);
  CAF_CHECK(window.waiting_since() == began);
  now += 1s;
  (void)answer(first, answer_kind::durable, 100);
  CAF_CHECK(window.waiting_since() == now);
  window.lose_all();
  CAF_CHECK(!window.waiting_since());
  CAF_CHECK(window.next() == (segment_position{1, 100}));
}

CAF_TEST(collectors_have_their_turns_and_then_there_is_a_growing_pause) {
  collector_order order{3, {}, 1};
  CAF_CHECK_EQUAL(order.first(now).collector, 0u);
  std::chrono::nanoseconds longest{0};
  for (int round = 0; round < 400; ++round) {
    CAF_CHECK_EQUAL(order.after_failure(0, reached, now).collector, 1u);
    CAF_CHECK(order.after_failure(1, reached, now).when == now);
    const auto next = order.after_failure(2, reached, now);
    CAF_CHECK_EQUAL(next.collector, 0u);
    CAF_CHECK(next.when - now <= std::min<std::chrono::nanoseconds>(100ms * (1LL << std::min(round, 20)), 30s));
    longest = std::max(longest, next.when - now);
  }
  // Full jitter: the whole length is used.
  CAF_CHECK(longest > 29s);
  order.note_good();
  (void)order.after_failure(0, reached, now);
  (void)order.after_failure(1, reached, now);
  CAF_CHECK(order.after_failure(2, reached, now).when - now <= 100ms);
}

CAF_TEST(a_collector_that_nobody_hears_from_is_asked_again_soon) {
  collector_order order{2, {}, 1};
  std::chrono::nanoseconds longest{0};
  for (int round = 0; round < 400; ++round) {
    (void)order.after_failure(0, round % 2 == 0 ? silent : reached, now);
    longest = std::max(longest, order.after_failure(1, round % 2 == 0 ? reached : silent, now).when - now);
  }
  CAF_CHECK(longest > 3500ms);
  CAF_CHECK(longest <= 4s);
  CAF_MESSAGE("one that refuses is spared");
  for (int round = 0; round < 400; ++round) {
    (void)order.after_failure(0, reached, now);
    longest = std::max(longest, order.after_failure(1, reached, now).when - now);
  }
  CAF_CHECK(longest > 29s);
}

CAF_TEST(pauses_are_the_same_for_a_seed_and_differ_between_seeds) {
  const auto draws = [this](std::uint64_t seed) {
    collector_order order{1, {}, seed};
    std::vector<monotonic_time> when;
    for (int i = 0; i < 10; ++i) when.push_back(order.after_failure(0, reached, now).when);
    return when;
  };
  CAF_CHECK(draws(7) == draws(7));
  CAF_CHECK(draws(7) != draws(8));
}

CAF_TEST_FIXTURE_SCOPE_END()
