#include "tests/support/memory_bound.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE million_frames
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::uint64_t million = 1'000'000;

}  // namespace

CAF_TEST(a_million_frames_at_full_speed_are_in_the_log_in_order_and_without_a_gap) {
  const daemon_settings settings{.cells = {{.id = "cell-1"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  const sent_report sent = simulate({.socket = home.socket_of("cell-1"), .frames = million});
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_LESS(daemon.peak_resident_bytes(), most_resident_bytes);
  CAF_MESSAGE("sent in " << sent.seconds << " s, at most " << daemon.peak_resident_bytes() << " bytes resident");

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  const run_record& logged = runs.of("cell-1");
  CAF_CHECK_EQUAL(joined(differences(logged, sent)), "");
  CAF_CHECK_EQUAL(logged.declarations, million);
  // Started, declared, ended; nothing else.
  CAF_CHECK_EQUAL(logged.events, million + 2);
}
