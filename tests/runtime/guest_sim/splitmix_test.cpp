#include "runtime/guest_sim/splitmix.hpp"

#include <array>

#define CAF_SUITE splitmix
#include "caf/test/dsl.hpp"

using cellos::guest_sim::splitmix;

CAF_TEST(the_numbers_are_those_of_the_published_algorithm) {
  splitmix random{1234567};
  CAF_CHECK_EQUAL(random.next(), 6457827717110365317u);
  CAF_CHECK_EQUAL(random.next(), 3203168211198807973u);
  CAF_CHECK_EQUAL(random.next(), 9817491932198370423u);
}

CAF_TEST(a_range_is_met_at_both_ends_and_never_left) {
  splitmix random{1};
  std::array<int, 7> seen{};
  for (int i = 0; i < 1000; ++i) {
    const auto drawn = random.between(2, 5);
    if (drawn >= 2 && drawn <= 5) ++seen[drawn];
  }
  CAF_CHECK_EQUAL(seen[2] + seen[3] + seen[4] + seen[5], 1000);
  CAF_CHECK(seen[2] > 0 && seen[5] > 0);
  CAF_CHECK_EQUAL(random.below(1), 0u);
}
