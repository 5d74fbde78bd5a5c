#define CAF_SUITE soak
#include "tests/soak/soak.hpp"

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "caf/test/dsl.hpp"
#include "tests/soak/misbehaviour_soak.hpp"
#include "tests/support/memory_bound.hpp"
#include "tests/support/temporary_directory.hpp"

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

namespace {

std::optional<std::string> growth_of(const std::vector<double>& resident_mb) {
  std::vector<soak::soak_hour> hours(resident_mb.size());
  for (std::size_t i = 0; i < hours.size(); ++i) hours[i].mean_resident_mb = resident_mb[i];
  return soak::memory_growth(hours);
}

}  // namespace

CAF_TEST(memory that grows after it warmed up is a fault and so is too short a look at it) {
  CAF_CHECK(!growth_of({20, 60, 80, 80, 80, 80}));
  CAF_CHECK(!growth_of({20, 60, 80, 82, 81, 83}));
  CAF_CHECK_EQUAL(growth_of({20, 60, 80, 80, 90, 90}).value_or("none"), "resident memory grew from 80.0 MB to 90.0 MB");
  CAF_CHECK(growth_of({20, 40, 60, 80, 100, 120}));
  CAF_CHECK_EQUAL(growth_of({20, 60}).value_or("none"), "2 rows are too few to know of memory");
}

CAF_TEST(guests that misbehave in every way leave the totals balanced and no descriptor open) {
  const test::temporary_directory home;
  soak::misbehaviour_options options;
  options.length = std::chrono::seconds{9};
  options.cells = 4;
  options.rows = 9;
  options.checks_memory = test::most_resident_bytes != std::numeric_limits<std::uint64_t>::max();
  options.dir = home.path();
  const soak::misbehaviour_report report = soak::run_misbehaviour_soak(options);
  CAF_MESSAGE(to_text(report));
  CAF_CHECK(report.faults.empty());
  CAF_CHECK(report.descriptors_after <= report.descriptors_before);
  CAF_CHECK(report.received > 0);
}
