// ctest: RUN_SERIAL ON
#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/process_usage.hpp"
#include "tests/support/raw_guest.hpp"

#define CAF_SUITE descriptors_out
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// With so many descriptors and no way to raise the limit.
process limited(const daemon_home& home, int descriptors) {
  const std::string limit = "ulimit -n " + std::to_string(descriptors) + " && exec \"$0\" --config \"$1\"";
  process started{{"/bin/sh", {"-c", limit, program_path("cellos-telemetryd"), home.configuration_file()}}};
  started.wait_for_line(" daemon_ready ");
  return started;
}

std::ptrdiff_t open_descriptors_of(const process& daemon) {
  return std::distance(std::filesystem::directory_iterator{"/proc/" + std::to_string(daemon.pid()) + "/fd"}, {});
}

std::vector<cell_settings> cells(int count) {
  std::vector<cell_settings> all;
  for (int i = 0; i < count; ++i) all.push_back({.id = "c" + std::to_string(i)});
  return all;
}

std::size_t declarations_in(const daemon_home& home) { return count_in_log(home.evidence_dir(), "guestComm"); }

std::vector<http_client> connected_clients(const daemon_home& home, int count) {
  std::vector<http_client> all;
  for (int i = 0; i < count; ++i) all.emplace_back(home.control_socket()).connect();
  return all;
}

int health(const daemon_home& home) { return http_client{home.control_socket()}.get("/healthz").status; }

}  // namespace

CAF_TEST(guests that hold all they can get leave the evidence log and the control socket theirs) {
  const daemon_home home;
  home.configure({.cells = cells(10),
                  .evidence = "segment_bytes = '64KiB'\n",
                  .tables = home.control_table() + "[intake]\nconnections_per_cell = 64\n"});
  process daemon = limited(home, 128);
  raw_guest busy{home.socket_of("c0")};
  std::vector<std::unique_ptr<raw_guest>> held;
  for (int i = 1; i < 10; ++i) {
    for (int n = 0; n < 20; ++n) {
      held.push_back(std::make_unique<raw_guest>(home.socket_of("c" + std::to_string(i))));
    }
  }
  CAF_CHECK(held.back()->is_closed_within(test_timeout));
  std::vector<http_client> clients = connected_clients(home, 12);
  std::size_t sent = 0;
  for (; sent < 2000; sent += 100) busy.write_frames(100);
  CAF_CHECK(holds_within(test_timeout, [&] { return declarations_in(home) == sent; }));
  CAF_CHECK(std::distance(std::filesystem::directory_iterator{home.evidence_dir()}, {}) > 3);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_blocked "), 0u);
  CAF_CHECK(open_descriptors_of(daemon) < 128);
  clients.clear();
  CAF_CHECK_EQUAL(health(home), 200);
  CAF_MESSAGE("and whoever has none yet finds its place");
  for (int i = 1; i < 10; ++i) {
    CAF_CHECK(!held[static_cast<std::size_t>(i - 1) * 20]->is_closed_within(0s));
  }
}

CAF_TEST(guests that connect and send a byte and leave hold nothing) {
  const daemon_home home;
  home.configure({.cells = cells(5),
                  .evidence = "segment_bytes = '64KiB'\n",
                  .tables = home.control_table() + "[intake]\nconnections_per_cell = 64\n"});
  process daemon = limited(home, 256);
  const auto before = open_descriptors_of(daemon);
  const std::uint8_t byte = 1;
  for (int n = 0; n < 200; ++n) {
    for (int i = 0; i < 5; ++i) raw_guest{home.socket_of("c" + std::to_string(i))}.write({&byte, 1});
  }
  CAF_CHECK(holds_within(test_timeout, [&] { return open_descriptors_of(daemon) <= before; }));
  CAF_CHECK_EQUAL(health(home), 200);
  raw_guest honest{home.socket_of("c0")};
  honest.write_frames(10);
  CAF_CHECK(holds_within(test_timeout, [&] { return declarations_in(home) == 10; }));
}

CAF_TEST(nothing spins when not one descriptor is left and health is answered) {
  const daemon_home home;
  home.configure({.cells = cells(1), .tables = home.control_table() + "http_listen = '127.0.0.1:0'\n"});
  auto daemon = daemon_process::ready(home);
  const auto open = open_descriptors_of(daemon);
  rlimit former{};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_NOFILE, nullptr, &former), 0);
  const rlimit tight{static_cast<rlim_t>(open), former.rlim_max};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_NOFILE, &tight, nullptr), 0);
  {
    std::vector<std::unique_ptr<raw_guest>> guests;
    for (int i = 0; i < 5; ++i) guests.push_back(std::make_unique<raw_guest>(home.socket_of("c0")));
    const std::vector<http_client> clients = connected_clients(home, 3);
    const double before = cpu_seconds(daemon.pid());
    CAF_CHECK(!holds_within(3s, [&] { return cpu_seconds(daemon.pid()) - before > 0.2; }));
  }
  for (int i = 0; i < 3; ++i) CAF_CHECK_EQUAL(health(home), 200);
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_NOFILE, &former, nullptr), 0);
  raw_guest honest{home.socket_of("c0")};
  CAF_CHECK(!honest.is_closed_within(1s));
  honest.write_frames(10);
  CAF_CHECK(holds_within(test_timeout, [&] { return declarations_in(home) == 10; }));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(the soft limit is raised to the hard one) {
  const daemon_home home;
  home.configure({.tables = home.control_table()});
  const std::string limit = "ulimit -Sn 100 && ulimit -Hn 2048 && exec \"$0\" --config \"$1\"";
  process daemon{{"/bin/sh", {"-c", limit, program_path("cellos-telemetryd"), home.configuration_file()}}};
  daemon.wait_for_line(" daemon_ready ");
  rlimit now{};
  CAF_REQUIRE_EQUAL(::prlimit(daemon.pid(), RLIMIT_NOFILE, nullptr, &now), 0);
  CAF_CHECK_EQUAL(now.rlim_cur, 2048u);
  CAF_CHECK_EQUAL(metric(http_client{home.control_socket()}.get("/metrics").body, "process_max_fds"), 2048);
}
