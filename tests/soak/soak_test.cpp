#include "tests/soak/soak.hpp"

#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE soak
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 180 RUN_SERIAL ON

using namespace cellos;

CAF_TEST(nothing_is_lost_or_told_twice_while_actors_are_killed_under_load) {
  const test::temporary_directory dir;
  soak::soak_options options;
  options.dir = dir.path();
  options.frames = 800'000;
  options.crashes = 60;
  const auto outcome = soak::run_soak(options);
  for (const std::string& violation : outcome.violations) CAF_ERROR(violation);
  CAF_CHECK_EQUAL(outcome.sent, 800'000u);
  CAF_CHECK_EQUAL(outcome.lost, 0u);
  CAF_CHECK_EQUAL(outcome.repeated, 0u);
  CAF_CHECK_EQUAL(outcome.planted, 8u);
  CAF_CHECK_EQUAL(outcome.quarantined_chunks, 8u);
  CAF_CHECK_EQUAL(outcome.logged + outcome.quarantined_frames, outcome.sent);
  CAF_CHECK_EQUAL(outcome.crashes, 60u);
  CAF_CHECK_GREATER(outcome.books_held, 0u);
}
