// CELLOS_CONNECT_STORM: how many connections come and go at once, 2000 unless given.

#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE misbehaviour_soak
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t storm_size() {
  const char* const given = std::getenv("CELLOS_CONNECT_STORM");
  return given == nullptr ? 2000 : std::stoull(given);
}

}  // namespace

CAF_TEST(a daemon that was stopped for longer than the silence window reports no silence) {
  const daemon_settings settings{.cells = {{.id = "c1", .keepalive_window = "1s"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  simulator guest{{.socket = home.socket_of("c1"), .frames = 0, .further = {"--rate", "100"}}};
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "guestComm") > 10; }));
  daemon.freeze();
  CAF_CHECK(!holds_within(2500ms, [&] { return guest.ended(); }));
  const std::size_t before = count_in_log(home.evidence_dir(), "guestComm");
  daemon.thaw();
  CAF_CHECK(holds_within(2s, [&] { return count_in_log(home.evidence_dir(), "guestComm") > before + 200; }));
  const sent_report sent = guest.stop();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " agent_silenced "), 0u);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("c1"), sent)), "");
}

CAF_TEST(a storm of connections leaves no descriptor and no gap) {
  const daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}}};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  const std::string descriptors = "/proc/" + std::to_string(daemon.pid()) + "/fd";
  const auto open = [&] { return std::distance(std::filesystem::directory_iterator{descriptors}, {}); };
  const auto before = open();
  simulator guest{{.socket = home.socket_of("c2"), .frames = 0, .further = {"--rate", "500"}}};
  // A full backlog makes the next one wait.
  for (std::uint64_t i = 0; i < storm_size(); ++i) {
    CAF_REQUIRE(holds_within(1s, [&] { return accepts_connections(home.socket_of("c1")); }));
  }
  const sent_report sent = guest.stop();
  CAF_CHECK(holds_within(test_timeout, [&] { return open() == before; }));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("c2"), sent)), "");
}

CAF_TEST(a daemon without descriptors refuses at once and says so and serves again when there are some) {
  const daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}},
                                 .tables = "[intake]\nconnections_per_cell = 64\n"};
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  simulator steady{{.socket = home.socket_of("c2"), .frames = 0, .further = {"--rate", "500"}}};
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "guestComm") > 10; }));
  const auto open =
      std::distance(std::filesystem::directory_iterator{"/proc/" + std::to_string(daemon.pid()) + "/fd"}, {});
  const auto allowed = static_cast<rlim_t>(open + 3);
  rlimit former{};
  const rlimit tight{allowed, 4096};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_NOFILE, &tight, &former), 0);
  {
    std::vector<std::unique_ptr<raw_guest>> guests;
    for (int i = 0; i < 40; ++i) guests.push_back(std::make_unique<raw_guest>(home.socket_of("c1")));
    CAF_CHECK(guests.back()->is_closed_within(1s));
    daemon.wait_for_line("no descriptors left");
  }
  CAF_CHECK(holds_within(test_timeout, [&] {
    raw_guest again{home.socket_of("c1")};
    return !again.is_closed_within(50ms);
  }));
  const sent_report sent = steady.stop();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  CAF_CHECK_EQUAL(joined(differences(runs.of("c2"), sent)), "");
}
