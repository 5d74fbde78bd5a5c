// Measures how punctual the daemon is, which it cannot be on a machine that is busy with something else.
// ctest: RUN_SERIAL ON
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "messages/cloud_event.hpp"
#include "messages/timestamp.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE agent_silence
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr auto window = 200ms;
/// How late a silence may be reported.
constexpr auto latest = 250ms;

cell_settings watched(std::string id) { return {.id = std::move(id), .keepalive_window = "200ms"}; }

wall_time instant(const std::string& text) {
  const auto parsed = parse_timestamp(text);
  if (!parsed) throw std::runtime_error("not a timestamp: " + text);
  return *parsed;
}

/// Only that cell's, so that a flood beside it costs no memory here.
std::vector<event> events_of_cell(const daemon_home& home, std::string_view cell_id) {
  std::vector<event> found;
  visit_events(home.evidence_dir(), [&](const event& each) {
    if (each.cell_id == cell_id) found.push_back(each);
  });
  return found;
}

std::vector<std::size_t> places_of(const std::vector<event>& events, std::string_view type) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].type == type) places.push_back(i);
  }
  return places;
}

void wait_for_silence(const daemon_process& daemon, const std::string& cell_id) {
  daemon.wait_for_line(" agent_silenced cell=" + cell_id + " ");
}

/// Starts a guest and keeps its cell from being silent until the guest, which has yet to be loaded, does so itself.
simulator start_in_time(const daemon_home& home, const std::string& cell_id, simulation what) {
  what.socket = home.socket_of(cell_id);
  simulator started{what};
  raw_guest until_then{what.socket};
  const bool speaks = holds_within(test_timeout, [&] {
    until_then.write_frame("agent.heartbeat", "until-then");
    return count_in_log(home.evidence_dir(), R"("guestMonotonicNs":"1")") == 1;
  });
  if (!speaks) throw std::runtime_error("nothing of the guest is in the log");
  return started;
}

std::chrono::nanoseconds lateness(const event& silence, const std::string& last_sign_of_life) {
  return instant(silence.time) - (instant(last_sign_of_life) + window);
}

}  // namespace

CAF_TEST(an_agent_is_silent_once_its_frames_stop_and_not_before_while_other_cells_flood) {
  const daemon_settings settings{.cells = {watched("quiet"), {.id = "flood"}, {.id = "beats-1"}, {.id = "beats-2"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  // Every 50 ms for two seconds.
  simulator quiet = start_in_time(home, "quiet", {.frames = 40, .further = {"--rate", "20"}});
  std::vector<simulator> floods;
  floods.emplace_back(simulation{.socket = home.socket_of("flood"), .scenario = "flood"});
  floods.emplace_back(simulation{.socket = home.socket_of("beats-1"), .scenario = "heartbeat-only"});
  floods.emplace_back(simulation{.socket = home.socket_of("beats-2"), .scenario = "heartbeat-only"});
  CAF_CHECK_EQUAL(quiet.finish().declarations, 40u);
  wait_for_silence(daemon, "quiet");
  std::uint64_t flooded = 0;
  for (simulator& flood : floods) flooded += flood.stop().frames;
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const auto events = events_of_cell(home, "quiet");
  const auto silences = places_of(events, name_of(event_type::agent_silenced));
  CAF_REQUIRE_EQUAL(silences.size(), 1u);
  // Started, 40 declarations, silenced, ended.
  CAF_CHECK_EQUAL(events.size(), 43u);
  CAF_REQUIRE_EQUAL(silences[0], 41u);
  const auto late = lateness(events[41], events[40].host_received_at);
  CAF_MESSAGE(flooded << " frames beside; reported " << late.count() / 1000 << " us after its time");
  CAF_CHECK(late >= 0ns);
  CAF_CHECK(late <= latest);
}

CAF_TEST(silence_is_reported_once_and_so_is_the_return) {
  daemon_settings settings{.cells = {watched("pauses")}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  start_in_time(home, "pauses",
                {.frames = 30,
                 .scenario = "silent-after-N",
                 .further = {"--silent-after", "10", "--hold", "700ms", "--resume", "--rate", "50"}})
      .finish();
  // The silence of a cell that is admitted after the last frame comes when a second one of the other would.
  settings.cells.push_back(watched("witness"));
  home.configure(settings);
  daemon.reload();
  wait_for_silence(daemon, "witness");
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const auto events = events_of_cell(home, "pauses");
  const auto silences = places_of(events, name_of(event_type::agent_silenced));
  const auto returns = places_of(events, name_of(event_type::agent_resumed));
  CAF_REQUIRE_EQUAL(silences.size(), 1u);
  CAF_REQUIRE_EQUAL(returns.size(), 1u);
  // Started, ten declarations, silenced, resumed, twenty declarations, ended.
  CAF_CHECK_EQUAL(silences[0], 11u);
  CAF_CHECK_EQUAL(returns[0], 12u);
  CAF_CHECK_EQUAL(events.size(), 34u);
  CAF_CHECK(events[13].is_declaration());
  CAF_CHECK(events[32].is_declaration());
  CAF_CHECK(lateness(events[11], events[10].host_received_at) <= latest);
}

CAF_TEST(heartbeats_keep_a_cell_from_being_silent) {
  constexpr auto lively = 2s;
  const daemon_settings settings{.cells = {watched("beats")}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  raw_guest guest{home.socket_of("beats")};
  CAF_CHECK(!holds_within(lively, [&] {
    guest.write_frame("agent.heartbeat", "beats");
    return count_lines(daemon.err(), " agent_silenced ") > 0;
  }));
  wait_for_silence(daemon, "beats");
  CAF_CHECK_EQUAL(daemon.stop(), 0);

  const auto events = events_of_cell(home, "beats");
  // Started, silenced, ended.
  CAF_REQUIRE_EQUAL(events.size(), 3u);
  CAF_CHECK_EQUAL(events[1].type, name_of(event_type::agent_silenced));
  CAF_CHECK(lateness(events[1], events[0].time) >= lively);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(runs.of("beats").totals->heartbeats, runs.of("beats").totals->received);
}

CAF_TEST(a_cell_that_never_says_anything_is_silent_a_window_after_its_admission) {
  const daemon_home home{{.cells = {watched("mute")}}};
  auto daemon = daemon_process::ready(home);
  wait_for_silence(daemon, "mute");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const auto events = events_of_cell(home, "mute");
  CAF_REQUIRE_EQUAL(events.size(), 3u);
  CAF_CHECK_EQUAL(events[1].type, name_of(event_type::agent_silenced));
  // The run starts when its socket is bound, which is when the window starts.
  CAF_CHECK(lateness(events[1], events[0].time) > -50ms);
  CAF_CHECK(lateness(events[1], events[0].time) <= latest);
}

CAF_TEST(refused_frames_are_no_sign_of_life) {
  const daemon_settings settings{.cells = {watched("babbles")}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  raw_guest guest{home.socket_of("babbles")};
  CAF_CHECK(holds_within(test_timeout, [&] {
    guest.write_frame("no.such.source", "babbler");
    return count_lines(daemon.err(), " agent_silenced cell=babbles ") == 1;
  }));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(runs.of("babbles").silences, 1u);
  CAF_CHECK_EQUAL(runs.of("babbles").resumptions, 0u);
  CAF_CHECK(runs.of("babbles").totals->refused[telemetry_errc::unknown_probe_source] > 0);
}
