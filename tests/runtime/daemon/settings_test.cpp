#define CAF_SUITE settings
#include "runtime/daemon/settings.hpp"

#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(two actors that hang leave a thread for every core) {
  CAF_CHECK_EQUAL(actor_threads(0, 1), 3u);
  CAF_CHECK_EQUAL(actor_threads(0, 2), 4u);
}

CAF_TEST(who says how many threads gets as many) { CAF_CHECK_EQUAL(actor_threads(1, 8), 1u); }
