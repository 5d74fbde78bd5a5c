#define CAF_SUITE silence_trigger
#include "actors/silence_trigger.hpp"

#include <caf/test/dsl.hpp>

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr monotonic_time start{1h};

}  // namespace

CAF_TEST(the window itself is not silence) {
  silence_trigger trigger{10s};
  CAF_CHECK(!trigger.exceeded(start + 10s, start));
  CAF_CHECK(!trigger.fire(start + 10s, start));
  CAF_CHECK(!trigger.spent());
}

CAF_TEST(one nanosecond more is silence) {
  silence_trigger trigger{10s};
  const auto silence = trigger.fire(start + 10s + 1ns, start);
  CAF_REQUIRE(silence);
  CAF_CHECK(silence->window == 10s);
  CAF_CHECK(silence->last_accepted == start);
  CAF_CHECK(silence->observed == start + 10s + 1ns);
}

CAF_TEST(the deadline is the first instant at which it fires) {
  silence_trigger trigger{200ms};
  CAF_CHECK(!trigger.exceeded(trigger.deadline(start) - 1ns, start));
  CAF_CHECK(trigger.exceeded(trigger.deadline(start), start));
}

CAF_TEST(it fires once whatever follows) {
  silence_trigger trigger{1s};
  CAF_REQUIRE(trigger.fire(start + 2s, start));
  CAF_CHECK(trigger.spent());
  CAF_CHECK(!trigger.fire(start + 9s, start));
  CAF_CHECK(!trigger.fire(start + 90s, start + 10s));
}

CAF_TEST(an accepted frame moves the deadline) {
  silence_trigger trigger{1s};
  CAF_CHECK(!trigger.fire(start + 1500ms, start + 600ms));
  CAF_CHECK(trigger.fire(start + 1601ms, start + 600ms));
}
