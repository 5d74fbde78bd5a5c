#include <signal.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "messages/cloud_event.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE restart
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::uint64_t frames = 3000;

const daemon_settings small_segments{.cells = {{.id = "c1"}, {.id = "c2"}}, .evidence = "segment_bytes = '64KiB'\n"};

std::vector<simulator> start_guests(const daemon_home& home, std::uint64_t frames_each) {
  std::vector<simulator> guests;
  guests.reserve(small_segments.cells.size());
  for (const auto& cell : small_segments.cells) {
    guests.emplace_back(simulation{.socket = home.socket_of(cell), .frames = frames_each});
  }
  return guests;
}

std::size_t segments_in(const daemon_home& home) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{home.evidence_dir()}) {
    count += entry.path().extension() == ".jsonl" ? 1 : 0;
  }
  return count;
}

/// One run as it appears in the log read from the first segment to the last.
struct logged_chain {
  std::uint64_t events = 0;
  /// Since the run was started or resumed; each guest numbers them from 1.
  std::uint64_t declarations = 0;
  std::size_t restarts_reported = 0;
  std::size_t resumptions = 0;
  bool gapless = true;
  bool ended = false;
};

struct whole_log {
  std::map<std::string, logged_chain> chains;
  std::set<std::string> ids;
  std::uint64_t events = 0;
};

whole_log read_log(const daemon_home& home) {
  whole_log log;
  visit_events(home.evidence_dir(), [&](const event& next) {
    ++log.events;
    log.ids.insert(next.id);
    logged_chain& chain = log.chains[next.chain];
    ++chain.events;
    chain.gapless = chain.gapless && next.sequence == chain.events;
    if (next.is_declaration()) {
      ++chain.declarations;
      chain.gapless = chain.gapless && next.guest_monotonic_ns == chain.declarations;
    } else if (next.type == name_of(event_type::telemetry_dropped) &&
               next.reason == to_string(loss_reason::daemon_restart)) {
      ++chain.restarts_reported;
    } else if (next.type == name_of(event_type::run_resumed)) {
      ++chain.resumptions;
      chain.declarations = 0;
    }
    chain.ended = next.type == name_of(event_type::run_ended);
  });
  return log;
}

}  // namespace

CAF_TEST(a_daemon_started_again_continues_the_log_and_repeats_no_id) {
  const daemon_home home{small_segments};
  constexpr std::size_t starts = 3;
  for (std::size_t i = 0; i < starts; ++i) {
    auto daemon = daemon_process::ready(home);
    for (simulator& guest : start_guests(home, frames)) guest.finish();
    CAF_CHECK_EQUAL(daemon.stop(), 0);
  }
  CAF_CHECK(segments_in(home) > 20);
  const whole_log log = read_log(home);
  CAF_CHECK_EQUAL(log.ids.size(), log.events);
  CAF_CHECK_EQUAL(log.chains.size(), starts * small_segments.cells.size());
  for (const auto& [name, chain] : log.chains) {
    CAF_MESSAGE(name);
    CAF_CHECK(chain.gapless);
    CAF_CHECK(chain.ended);
    CAF_CHECK_EQUAL(chain.declarations, frames);
    CAF_CHECK_EQUAL(chain.events, frames + 2);
  }
}

CAF_TEST(a_daemon_killed_in_the_middle_of_a_flood_goes_on_with_every_chain_and_says_so) {
  const daemon_home home{small_segments};
  auto killed = daemon_process::ready(home);
  auto guests = start_guests(home, 0);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return segments_in(home) > 20; }));
  killed.send(SIGKILL);
  CAF_CHECK_EQUAL(killed.wait(), 128 + SIGKILL);
  for (simulator& guest : guests) CAF_CHECK_EQUAL(guest.wait(), 1);

  auto daemon = daemon_process::ready(home);
  for (simulator& guest : start_guests(home, frames)) guest.finish();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const whole_log log = read_log(home);
  CAF_CHECK_EQUAL(log.ids.size(), log.events);
  CAF_CHECK_EQUAL(log.chains.size(), small_segments.cells.size());
  for (const auto& [name, chain] : log.chains) {
    CAF_MESSAGE(name);
    CAF_CHECK(chain.gapless);
    CAF_CHECK_EQUAL(chain.restarts_reported, 1u);
    CAF_CHECK_EQUAL(chain.resumptions, 1u);
    CAF_CHECK_EQUAL(chain.declarations, frames);
    CAF_CHECK(chain.ended);
  }
}
