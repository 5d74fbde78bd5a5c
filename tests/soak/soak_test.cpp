#define CAF_SUITE soak
#include "tests/soak/soak.hpp"

#include "caf/test/dsl.hpp"
#include "tests/soak/misbehaviour_soak.hpp"
#include "tests/support/temporary_directory.hpp"

// ctest: TIMEOUT 120

using namespace cellos;

CAF_TEST(actors that die under full load lose nothing and report nothing twice) {
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

CAF_TEST(guests that misbehave in every way leave the totals balanced and no descriptor open) {
  const test::temporary_directory home;
  soak::misbehaviour_options options;
  options.length = std::chrono::seconds{3};
  options.cells = 4;
  options.rows = 2;  // too short a day to verifier memory by
  options.dir = home.path();
  const soak::misbehaviour_report report = soak::run_misbehaviour_soak(options);
  CAF_MESSAGE(to_text(report));
  CAF_CHECK(report.faults.empty());
  CAF_CHECK(report.descriptors_after <= report.descriptors_before);
  CAF_CHECK(report.received > 0);
}
