// ctest: TIMEOUT 300
#define CAF_SUITE fleet
#include "tests/fleet/fleet_run.hpp"

#include "caf/test/dsl.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;

CAF_TEST(hosts and collectors that are killed under load lose and double nothing) {
  const test::temporary_directory home;
  fleet::fleet_options options;
  options.hosts = 2;
  options.cells = 4;
  options.frames = 4000;
  options.kills = 8;
  options.rate = 1500;
  options.seed = test::amount_of("CELLOS_FLEET_SEED", 1);
  options.dir = home.path();
  const fleet::fleet_report report = fleet::run_fleet(options);
  CAF_MESSAGE(to_text(report));
  CAF_CHECK(report.faults.empty());
  CAF_CHECK_EQUAL(report.kills_of_hosts + report.kills_of_collectors, options.kills);
  CAF_CHECK(report.logged > 0);
  CAF_CHECK(report.copied_bytes >= report.log_bytes);
}
