#define CAF_SUITE soak
#include "tests/soak/soak.hpp"

#include "caf/test/dsl.hpp"
#include "tests/support/temporary_directory.hpp"

// ctest: TIMEOUT 120

using namespace cellos;

CAF_TEST(actors that die under full load lose nothing and tell nothing twice) {
  const test::temporary_directory home;
  soak::soak_options options;
  options.frames = 400'000;
  options.crashes = 40;
  options.poison = 8;
  options.dir = home.path();
  const soak::soak_report report = soak::run_soak(options);
  CAF_MESSAGE(to_text(report));
  CAF_CHECK(report.faults.empty());
  CAF_CHECK_EQUAL(report.lost, 0u);
  CAF_CHECK_EQUAL(report.duplicated, 0u);
  CAF_CHECK_EQUAL(report.received, options.frames);
  CAF_CHECK_EQUAL(report.quarantined_chunks, options.poison);
  CAF_CHECK(report.audits > options.cells);
}
