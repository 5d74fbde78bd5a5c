#define CAF_SUITE host_supervisor
#include "actors/host_supervisor.hpp"

#include "actors/sink.hpp"
#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : host_fixture {
  fixture() { start_host(2); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_supervisor_tests, fixture)

CAF_TEST(an admitted cell has its socket and its run) {
  const auto admitted = admit(cell("cell-1"));
  CAF_REQUIRE(admitted);
  CAF_CHECK_EQUAL(admitted->socket_path, "/cells/cell-1/v.sock_9001");
  CAF_CHECK(admitted->state == cell_state::listening);
  CAF_CHECK_EQUAL(log.count("run.v1.started"), 1u);
  CAF_CHECK_EQUAL(sockets.intake("cell-1")->attachments, 1);
}

CAF_TEST(the same cell again is the same answer and another one a conflict) {
  CAF_REQUIRE(admit(cell("cell-1")));
  CAF_CHECK(admit(cell("cell-1")));
  CAF_CHECK_EQUAL(log.count("run.v1.started"), 1u);
  cell_specification other = cell("cell-1");
  other.run_id = "run-2";
  const auto refused = admit(other);
  CAF_REQUIRE(!refused);
  CAF_CHECK(is_failure(refused.error(), failure::cell_conflict));
}

CAF_TEST(whoever asks how a cell stands is answered although it ends meanwhile) {
  CAF_REQUIRE(admit(cell("cell-1")));
  log.refusal = std::make_error_code(std::errc::no_space_on_device);
  auto retired = self->request(host, caf::infinite, retire_atom::value, std::string{"cell-1"});
  consume_messages();
  log.refusal = {};
  advance_time(1s);  // the SINK is due to write the end
  auto asked = self->request(host, caf::infinite, status_atom::value, std::string{"cell-1"});
  // The question comes to the SINK before it wrote, and its answer after the CELL SUPERVISOR has gone.
  sched.run_jobs_filtered([](caf::resumable* job) {
    return std::string_view{dynamic_cast<caf::scheduled_actor&>(*job).name()} != sink_state::name;
  });
  consume_messages();
  retired.receive([](const run_totals&) {}, [](const caf::error& why) { CAF_ERROR(explanation(why)); });
  CAF_REQUIRE(!self->mailbox().empty());
  asked.receive([](const cell_status&) { CAF_ERROR("the cell is gone"); },
                [](const caf::error& why) { CAF_CHECK(is_failure(why, failure::unknown_cell)); });
}

CAF_TEST(two cells cannot have one socket) {
  CAF_REQUIRE(admit(cell("cell-1")));
  cell_specification thief = cell("cell-2");
  thief.vsock_uds_base = cell("cell-1").vsock_uds_base;
  const auto refused = admit(thief);
  CAF_REQUIRE(!refused);
  CAF_CHECK(is_failure(refused.error(), failure::cell_conflict));
  CAF_CHECK(explanation(refused.error()).find("cell-1") != std::string::npos);
}

CAF_TEST(a cell that cannot be bound leaves the others alone and can be tried again) {
  sockets.refusals["cell-2"] = "bind_failed: /cells/cell-2: no such directory";
  CAF_REQUIRE(admit(cell("cell-1")));
  const auto refused = admit(cell("cell-2"));
  CAF_REQUIRE(!refused);
  CAF_CHECK(is_failure(refused.error(), failure::bind_failed));
  CAF_CHECK_EQUAL(explanation(refused.error()), "bind_failed: /cells/cell-2: no such directory");
  CAF_CHECK_EQUAL(status().size(), 1u);
  sockets.refusals.clear();
  CAF_CHECK(admit(cell("cell-2")));
  CAF_CHECK_EQUAL(status().size(), 2u);
}

CAF_TEST(declarations are appended as the cells own and acknowledged) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1), malformed_frame(), frame_of("net.connect_attempted", 2)});
  CAF_CHECK_EQUAL(sockets.intake("cell-1")->kept.size(), 1u);
  consume_messages();
  CAF_CHECK(sockets.intake("cell-1")->kept.empty());
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 1u);
  CAF_CHECK_EQUAL(log.count("guest.v1.net_connect_attempted"), 1u);
  const auto cells = status();
  CAF_CHECK_EQUAL(cells[0].totals.received, 3u);
  CAF_CHECK_EQUAL(cells[0].totals.appended, 2u);
  CAF_CHECK_EQUAL(cells[0].totals.refused[telemetry_errc::malformed_frame], 1u);
  CAF_CHECK_EQUAL(cells[0].totals.in_flight(), 0u);
  for (const std::string& line : log.lines()) {
    CAF_CHECK(line.find("\"cellId\":\"cell-1\"") != std::string::npos);
  }
}

CAF_TEST(refusals are summed up once a second) {
  CAF_REQUIRE(admit(cell("cell-1")));
  for (int i = 0; i < 50; ++i) {
    receive("cell-1", {malformed_frame()});
    pass(10ms);
  }
  CAF_CHECK_EQUAL(log.count("guest.v1.telemetry_dropped"), 0u);
  pass(1s);
  CAF_CHECK_EQUAL(log.count("guest.v1.telemetry_dropped"), 1u);
  CAF_CHECK(operator_log.str().find("frames_refused cell=cell-1 run=run-1 refused=malformed_frame:50") !=
            std::string::npos);
}

CAF_TEST(a retired cell ends its run with its totals and gives its socket back) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1)});
  const auto totals = retire("cell-1");
  CAF_REQUIRE(totals);
  CAF_CHECK_EQUAL(totals->received, 1u);
  CAF_CHECK_EQUAL(totals->appended, 1u);
  CAF_CHECK_EQUAL(log.count("run.v1.ended"), 1u);
  CAF_CHECK(log.lines().back().find("run.v1.ended") != std::string::npos);
  CAF_CHECK(!sockets.intake("cell-1"));
  CAF_CHECK(status().empty());
  CAF_CHECK(is_failure(retire("cell-1").error(), failure::unknown_cell));
}

CAF_TEST(the same cell can run again as another chain) {
  CAF_REQUIRE(admit(cell("cell-1")));
  CAF_REQUIRE(retire("cell-1"));
  clock.time += 1s;
  const auto again = admit(cell("cell-1"));
  CAF_REQUIRE(again);
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 3u);
  CAF_CHECK(lines[0].substr(0, 90) != lines[2].substr(0, 90));
}

CAF_TEST(a log that takes nothing holds the credit back until it takes again) {
  CAF_REQUIRE(admit(cell("cell-1")));
  log.refusal = std::make_error_code(std::errc::no_space_on_device);
  receive("cell-1", {frame_of("process.spawned", 1)});
  receive("cell-1", {frame_of("process.spawned", 2)});
  pass(5s);
  CAF_CHECK_EQUAL(sockets.intake("cell-1")->kept.size(), 2u);
  CAF_CHECK(operator_log.str().find("evidence_blocked") != std::string::npos);
  log.refusal = {};
  pass(200ms);
  CAF_CHECK(sockets.intake("cell-1")->kept.empty());
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 2u);
  CAF_CHECK(operator_log.str().find("evidence_resumed") != std::string::npos);
}

CAF_TEST(a cell is not admitted while the log takes nothing) {
  log.refusal = std::make_error_code(std::errc::no_space_on_device);
  auto pending = self->request(host, caf::infinite, admit_atom::value, cell("cell-1"));
  consume_messages();
  pass(12s, 100ms);
  bool admitted = true;
  pending.receive([](const cell_status&) {},
                  [&](const caf::error& refused) {
                    admitted = false;
                    CAF_CHECK(is_failure(refused, failure::no_answer));
                  });
  CAF_CHECK(!admitted);
  CAF_CHECK(!sockets.intake("cell-1"));
}

CAF_TEST(stopping ends every run) {
  for (int i = 0; i < 5; ++i) CAF_REQUIRE(admit(cell("cell-" + std::to_string(i))));
  receive("cell-3", {frame_of("process.spawned", 1)});
  const auto not_drained = ask<std::uint64_t>(stop_atom::value);
  CAF_REQUIRE(not_drained);
  CAF_CHECK_EQUAL(*not_drained, 0u);
  CAF_CHECK_EQUAL(log.count("run.v1.ended"), 5u);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 1u);
  CAF_CHECK(is_failure(admit(cell("cell-9")).error(), failure::stopping));
}

CAF_TEST_FIXTURE_SCOPE_END()
