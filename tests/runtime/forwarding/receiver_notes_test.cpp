#include "runtime/forwarding/receiver_notes.hpp"

#include <chrono>
#include <string>

#define CAF_SUITE receiver_notes
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

using kind = receiver_note::kind;

struct fixture {
  receiver_notes notes;
  monotonic_time now{1h};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(receiver_notes_tests, fixture)

CAF_TEST(the_same_trouble_is_noted_once_a_minute) {
  for (int i = 0; i < 120; ++i, now += 500ms) notes.add({kind::lost, "away"}, now);
  CAF_CHECK_EQUAL(notes.take(now).size(), 1u);
  notes.add({kind::lost, "away"}, now);
  CAF_CHECK_EQUAL(notes.take(now).size(), 1u);
}

CAF_TEST(a_receiver_that_always_says_something_else_is_noted_once_a_second) {
  for (int i = 0; i < 1000; ++i, now += 1ms) notes.add({kind::refuses, std::to_string(i)}, now);
  // The first one, and when its second is over the last one.
  CAF_CHECK_EQUAL(notes.take(now - 1ms).size(), 1u);
  CAF_CHECK_EQUAL(notes.take(now).size(), 1u);
  notes.add({kind::refuses, "the next"}, now);
  CAF_CHECK(notes.take(now).empty());
  CAF_CHECK_EQUAL(notes.take(now + 1s).size(), 1u);
}

CAF_TEST(the_last_trouble_of_a_second_is_noted_when_it_is_over_though_no_other_follows) {
  notes.add({kind::lost, "away"}, now);
  notes.add({kind::refuses, "busy"}, now + 200ms);
  notes.add({kind::refuses, "later"}, now + 400ms);
  CAF_CHECK_EQUAL(notes.take(now + 999ms).size(), 1u);
  const auto noted = notes.take(now + 1s);
  CAF_REQUIRE_EQUAL(noted.size(), 1u);
  CAF_CHECK(noted[0].what == kind::refuses);
  CAF_CHECK_EQUAL(noted[0].cause, "later");
  CAF_CHECK(notes.take(now + 10min).empty());
}

CAF_TEST(trouble_that_is_over_is_not_noted_late) {
  notes.add({kind::lost, "away"}, now);
  notes.add({kind::refuses, "busy"}, now + 200ms);
  notes.add_reached();
  const auto noted = notes.take(now + 2s);
  CAF_REQUIRE_EQUAL(noted.size(), 2u);
  CAF_CHECK(noted[0].what == kind::lost);
  CAF_CHECK(noted[1].what == kind::reached);
  notes.add({kind::lost, "away"}, now + 3s);
  notes.add({kind::refuses, "busy"}, now + 3100ms);
  notes.add({kind::lost, "away"}, now + 3200ms);
  CAF_CHECK_EQUAL(notes.take(now + 10s).size(), 1u);
}

CAF_TEST(health_is_noted_at_first_and_after_trouble_that_was) {
  notes.add_reached();
  notes.add_reached();
  CAF_CHECK_EQUAL(notes.take(now).size(), 1u);
  // A receiver that takes and refuses in turn.
  for (int i = 0; i < 1000; ++i, now += 1ms) {
    notes.add({kind::refuses, std::to_string(i)}, now);
    notes.add_reached();
  }
  const auto noted = notes.take(now);
  CAF_REQUIRE_EQUAL(noted.size(), 2u);
  CAF_CHECK(noted[0].what == kind::refuses);
  CAF_CHECK(noted[1].what == kind::reached);
}

CAF_TEST(what_was_removed_is_noted_and_counted_each_time) {
  for (int i = 0; i < 3; ++i) notes.add({kind::lines_undelivered, {}, {1, 0}, {2, 0}}, now);
  CAF_CHECK_EQUAL(notes.take(now).size(), 3u);
  CAF_CHECK_EQUAL(notes.gaps(), 3u);
}

CAF_TEST_FIXTURE_SCOPE_END()
