#define CAF_SUITE probe_scheduler
#include "actors/probe_scheduler.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Probes that the test reads.
class manual_probes final : public host_probes {
 public:
  void attach(std::uint64_t generation, delivery deliver) override {
    generations.push_back(generation);
    deliver_ = std::move(deliver);
  }
  void watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) override {
    ++watches;
    watched[cell.cell_id] = {run, std::move(board)};
  }
  void unwatch(const host_stamp_ptr& run) override { watched.erase(run->cell_id); }

  void read(const std::string& cell_id, host_probe what = host_probe::process) {
    read_for(watched.at(cell_id).first, what);
  }
  void read_for(const host_stamp_ptr& run, host_probe what = host_probe::process) {
    deliver_(run, std::make_shared<const probe_reading>(probe_reading{what, "{}", R"({"alive":true})", at}));
  }

  std::map<std::string, std::pair<host_stamp_ptr, sighting_board_ptr>> watched;
  std::vector<std::uint64_t> generations;
  int watches = 0;
  wall_time at{std::chrono::seconds{1'700'000'000}};

 private:
  delivery deliver_;
};

struct fixture : host_fixture {
  fixture() {
    environment->probes = &probes;
    start_host();
    specification = cell("cell-1");
    specification.keepalive_window = 200ms;
  }

  ~fixture() override {
    kill("PROBE SCHEDULER");
    caf::anon_send_exit(host, caf::exit_reason::kill);
    consume_messages();
  }

  void kill(std::string_view role) {
    for (const activity_ptr& each : activities.present()) {
      if (each->role() != role) continue;
      caf::anon_send_exit(caf::actor_cast<caf::actor>(each->actor()), caf::exit_reason::kill);
    }
    consume_messages();
  }

  std::size_t readings() { return log.count("host.probe.v1.process"); }

  manual_probes probes;
  cell_specification specification;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(probe_scheduler_tests, fixture)

CAF_TEST(a_reading_is_an_event_of_the_run_that_it_is_of) {
  CAF_REQUIRE(admit(specification));
  CAF_REQUIRE_EQUAL(probes.watched.size(), 1u);
  probes.read("cell-1");
  consume_messages();
  CAF_REQUIRE_EQUAL(log.count("host.probe.v1.process"), 1u);
  const auto event = nlohmann::json::parse(log.lines().back());
  CAF_CHECK(event["data"]["cellId"] == "cell-1");
  CAF_CHECK(event["data"]["runId"] == "run-1");
  CAF_CHECK(event["sequence"] == "00000000000000000002");
}

CAF_TEST(a reading keeps its place behind the frames that came before it) {
  CAF_REQUIRE(admit(specification));
  receive("cell-1", {frame_of("process.spawned", 1), frame_of("process.spawned", 2)});
  consume_messages();
  probes.read("cell-1");
  receive("cell-1", {frame_of("process.spawned", 3)});
  consume_messages();
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 5u);
  CAF_CHECK(lines[3].find("host.probe.v1.process") != std::string::npos);
}

CAF_TEST(a cell is read until its run has ended and no longer) {
  CAF_REQUIRE(admit(specification));
  const host_stamp_ptr run = probes.watched.at("cell-1").first;
  CAF_REQUIRE(retire("cell-1"));
  CAF_CHECK(probes.watched.empty());
  probes.read_for(run);
  consume_messages();
  CAF_CHECK_EQUAL(readings(), 0u);
  CAF_CHECK(log.lines().back().find("run.v1.ended") != std::string::npos);
}

CAF_TEST(a cell that could not be bound is not read) {
  sockets.refusals["cell-1"] = "bind_failed: no";
  CAF_REQUIRE(!admit(specification));
  CAF_CHECK(probes.watched.empty());
}

CAF_TEST(readings go on with another scheduler and with another sink) {
  CAF_REQUIRE(admit(specification));
  kill("PROBE SCHEDULER");
  CAF_CHECK_EQUAL(probes.generations.size(), 2u);
  CAF_CHECK_EQUAL(probes.generations.back(), 2u);
  probes.read("cell-1");
  consume_messages();
  CAF_CHECK_EQUAL(readings(), 1u);
  kill("SINK");
  probes.read("cell-1");
  consume_messages();
  CAF_CHECK_EQUAL(readings(), 2u);
  CAF_CHECK(operator_log.str().find("PROBE SCHEDULER") != std::string::npos);
}

CAF_TEST(readings that come while the log takes nothing are dropped and leave no trace) {
  CAF_REQUIRE(admit(specification));
  log.refusal = std::make_error_code(std::errc::no_space_on_device);
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  for (int i = 0; i < 100; ++i) probes.read("cell-1");
  consume_messages();
  log.refusal = {};
  pass(300ms);
  CAF_CHECK_EQUAL(readings(), 0u);
  probes.read("cell-1");
  consume_messages();
  CAF_CHECK_EQUAL(readings(), 1u);
}

CAF_TEST(a silence says what was seen last and waits for nobody) {
  CAF_REQUIRE(admit(specification));
  host_sighting seen;
  seen.vmm = {vmm_state::signalled, 9};
  seen.looked_at = now();
  probes.watched.at("cell-1").second->show(seen);
  pass(220ms);
  CAF_REQUIRE_EQUAL(log.count("guest.v1.agent_silenced"), 1u);
  const auto saw = nlohmann::json::parse(log.lines().back())["data"]["hostSaw"];
  CAF_CHECK(saw["vmm"] == "signalled");
  CAF_CHECK(saw["vmmSignal"] == 9);
  CAF_CHECK(saw["connected"] == false);
  CAF_CHECK(operator_log.str().find("vmm:signalled(9),connected:no") != std::string::npos);
}

CAF_TEST(a silent agent whose vmm nobody has looked at is still said to be connected or not ) {
  CAF_REQUIRE(admit(specification));
  sockets.intake("cell-1")->totals.connections_open = 1;
  pass(220ms);
  const auto saw = nlohmann::json::parse(log.lines().back())["data"]["hostSaw"];
  CAF_CHECK(saw["connected"] == true);
  CAF_CHECK(!saw.contains("vmm"));
}

CAF_TEST_FIXTURE_SCOPE_END()
