#include <signal.h>

#include <vector>

#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE drain
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::uint64_t frames = 300;

/// The daemon finds the signal and what guests wrote at the same time.
int stop_frozen(daemon_process& daemon) {
  daemon.send(SIGTERM);
  daemon.thaw();
  return daemon.wait();
}

std::uint64_t declarations_so_far(const daemon_home& home) {
  return count_in_log(home.evidence_dir(), R"("guestMonotonicNs")");
}

}  // namespace

CAF_TEST(frames_in_the_kernels_buffer_when_sigterm_arrives_are_in_the_log) {
  const daemon_settings settings{.cells = {{.id = "accepted"}, {.id = "waiting"}, {.id = "gone"}, {.id = "half"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  raw_guest accepted{home.socket_of("accepted")};
  accepted.write_frames(1);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return declarations_so_far(home) == 1; }));

  daemon.freeze();
  accepted.write_frames(frames - 1);
  raw_guest waiting{home.socket_of("waiting")};
  waiting.write_frames(frames);
  raw_guest gone{home.socket_of("gone")};
  gone.write_frames(frames);
  gone.close();
  raw_guest half{home.socket_of("half")};
  half.write_frames(frames);
  half.write_half_a_frame();
  CAF_CHECK_EQUAL(stop_frozen(daemon), 0);

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (const auto& cell : settings.cells) {
    CAF_MESSAGE(cell.id);
    sent_report sent;
    sent.declarations = frames;
    sent.connections = 1;
    if (cell.id == "half") sent.refused.add(telemetry_errc::torn_frame);
    sent.frames = frames + sent.refused.total();
    CAF_CHECK_EQUAL(joined(differences(runs.of(cell.id), sent)), "");
  }
}

CAF_TEST(a_stop_in_the_middle_of_a_flood_keeps_every_frame_that_was_written) {
  const daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  std::vector<simulator> guests;
  guests.reserve(settings.cells.size());
  for (const auto& cell : settings.cells) {
    guests.emplace_back(simulation{.socket = home.socket_of(cell), .scenario = "flood"});
  }
  CAF_REQUIRE(holds_within(test_timeout, [&] { return declarations_so_far(home) > 10'000; }));
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (std::size_t i = 0; i < guests.size(); ++i) {
    // It was cut off.
    CAF_CHECK_EQUAL(guests[i].wait(), 1);
    const run_record& logged = runs.of(settings.cells[i].id);
    sent_report sent = guests[i].report();
    CAF_CHECK_EQUAL(logged.declarations, sent.declarations);
    // The guest does not count the frame it was cut off in.
    CAF_CHECK_LESS_OR_EQUAL(logged.totals->refused[telemetry_errc::torn_frame], 1u);
    sent.refused.add(telemetry_errc::torn_frame, logged.totals->refused[telemetry_errc::torn_frame]);
    sent.frames += logged.totals->refused[telemetry_errc::torn_frame];
    CAF_CHECK_EQUAL(joined(differences(logged, sent)), "");
  }
}

CAF_TEST(a_second_sigterm_changes_nothing) {
  const daemon_settings settings{.cells = {{.id = "c1"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  raw_guest guest{home.socket_of("c1")};
  daemon.freeze();
  guest.write_frames(frames);
  daemon.send(SIGTERM);
  daemon.send(SIGINT);
  CAF_CHECK_EQUAL(stop_frozen(daemon), 0);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " daemon_draining "), 1u);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " daemon_stopped cells_not_drained=0"), 1u);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(runs.of("c1").declarations, frames);
}
