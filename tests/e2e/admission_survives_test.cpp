#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

// ctest: TIMEOUT 240
#define CAF_SUITE admission_survives
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

std::string numbered(std::size_t cell) { return "cell-" + std::to_string(cell); }

std::size_t bound_cells(const daemon_home& home, std::size_t cells) {
  std::size_t bound = 0;
  for (std::size_t i = 0; i < cells; ++i) bound += accepts_connections(home.socket_of(numbered(i))) ? 1 : 0;
  return bound;
}

}  // namespace

CAF_TEST(cells_admitted_by_the_api_are_bound_again_after_kill) {
  const std::size_t cells = amount_of("CELLOS_ADMISSION_CELLS", 60);
  controlled_daemon host;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < cells; ++i) CAF_REQUIRE_EQUAL(host.put(numbered(i)).status, 201);
  const auto put = std::chrono::steady_clock::now();
  host.daemon().send(SIGKILL);
  CAF_REQUIRE_EQUAL(host.daemon().wait(), 128 + SIGKILL);

  const auto killed = std::chrono::steady_clock::now();
  auto successor = daemon_process::ready(host.home());
  const auto ready = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(bound_cells(host.home(), cells), cells);
  const auto ms = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  CAF_MESSAGE(cells << " cells: admitted one by one in " << ms(put - began) << " ms, bound again " << ms(ready - killed)
                    << " ms after the start");
  CAF_CHECK(ready - killed < std::chrono::seconds{cells <= 1000 ? 1 : 10});
  auto client = host.another_client();
  CAF_CHECK_EQUAL(client.get("/cells").json().at("cells").size(), cells);
  CAF_CHECK_EQUAL(client.get("/readyz").status, 200);
  CAF_CHECK_EQUAL(successor.stop(), 0);
}

CAF_TEST(a_retired_cell_stays_retired_and_a_runs_chain_goes_on) {
  controlled_daemon host;
  CAF_REQUIRE_EQUAL(host.put("kept").status, 201);
  CAF_REQUIRE_EQUAL(host.put("gone").status, 201);
  raw_guest guest{host.home().socket_of("kept")};
  guest.write_frames(10);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 10; }));
  const std::string chain = host.client().get("/cells/kept").json().at("chain");
  CAF_REQUIRE_EQUAL(host.remove("gone").status, 200);
  host.daemon().send(SIGKILL);
  (void)host.daemon().wait();

  auto successor = daemon_process::ready(host.home());
  auto client = host.another_client();
  const auto cells = client.get("/cells").json().at("cells");
  CAF_REQUIRE_EQUAL(cells.size(), 1u);
  CAF_CHECK_EQUAL(cells[0].at("chain").get<std::string>(), chain);
  CAF_CHECK_EQUAL(cells[0].at("totals").at("appended").get<std::uint64_t>(), 10u);
  CAF_MESSAGE("counters are this process's own");
  CAF_CHECK_EQUAL(metric(client.get("/metrics").body, "cellos_telemetry_declarations_appended_total"), 0);
  CAF_CHECK_EQUAL(client.ask("PUT", "/cells/kept", host.body_of("kept").dump()).status, 200);
  CAF_CHECK_EQUAL(successor.stop(), 0);
}

CAF_TEST(a_clean_stop_ends_runs_and_keeps_admissions) {
  controlled_daemon host;
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  auto successor = daemon_process::ready(host.home());
  CAF_CHECK(accepts_connections(host.home().socket_of("a")));
  CAF_CHECK_EQUAL(successor.stop(), 0);
}

CAF_TEST(a_state_file_that_cannot_be_understood_is_a_reason_not_to_start) {
  const daemon_home home;
  home.configure({.tables = home.control_table()});
  fs::create_directory(home.evidence_dir());
  for (const char* text : {"", "{", R"({"version":2,"cells":{}})", R"({"version":1,"cells":{"a":{"run_id":"r"}}})"}) {
    std::ofstream{home.evidence_dir() / "cells.json"} << text;
    daemon_process daemon{home};
    CAF_CHECK_EQUAL(daemon.wait(), 3);
    CAF_CHECK(daemon.err().find("cells.json") != std::string::npos);
  }
}

CAF_TEST(what_the_state_file_cannot_take_is_not_admitted) {
  const temporary_directory elsewhere;
  const auto state_dir = elsewhere / "state";
  fs::create_directory(state_dir);
  controlled_daemon host{{.tables = "state_file = '" + (state_dir / "cells.json").native() + "'\n"}};
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  fs::remove_all(state_dir);
  const http_response refused = host.put("b");
  CAF_CHECK_EQUAL(refused.status, 503);
  CAF_CHECK(!accepts_connections(host.home().socket_of("b")));
  CAF_CHECK_EQUAL(host.client().get("/cells/b").status, 404);
  fs::create_directory(state_dir);
  CAF_CHECK_EQUAL(host.put("b").status, 201);
}
