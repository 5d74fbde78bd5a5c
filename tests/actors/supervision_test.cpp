#define CAF_SUITE supervision
#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : host_fixture {
  fixture() {
    start_host();
    CAF_REQUIRE(admit(cell("cell-1")));
    CAF_REQUIRE(admit(cell("cell-2")));
  }

  /// Ends the live actor of a role, as a fault would.
  void end(std::string_view role, caf::exit_reason reason, const std::string& id = "cell-1") {
    for (const activity_ptr& actor : activities.present()) {
      if (actor->role() != role || (actor->cell_id() != id && !actor->cell_id().empty())) continue;
      const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor->actor());
      CAF_REQUIRE(handle);
      caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), reason);
      return;
    }
    CAF_FAIL("no " << std::string{role});
  }

  /// Live actors of a role that serve this cell.
  std::size_t serving(std::string_view role, const std::string& id = "cell-1") const {
    const auto present = activities.present();
    return static_cast<std::size_t>(std::count_if(present.begin(), present.end(), [&](const activity_ptr& actor) {
      return actor->role() == role && (actor->cell_id() == id || actor->cell_id().empty());
    }));
  }

  std::uint64_t appended(const std::string& id) {
    for (const cell_status& each : status()) {
      if (each.cell_id == id) return each.totals.appended;
    }
    return 0;
  }

  /// A frame before, one while it is dead, one after: all three are in the log, once.
  void survives(std::string_view role, caf::exit_reason reason) {
    receive("cell-1", {frame_of("process.spawned", 1)});
    end(role, reason);
    receive("cell-1", {frame_of("process.spawned", 2)});
    consume_messages();
    pass(100ms);
    receive("cell-1", {frame_of("process.spawned", 3)});
    receive("cell-2", {frame_of("process.exited", 1)});
    consume_messages();
    pass(100ms);
    CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 3u);
    CAF_CHECK_EQUAL(log.count("guest.v1.process_exited"), 1u);
    CAF_CHECK_EQUAL(appended("cell-1"), 3u);
    CAF_CHECK(sockets.intake("cell-1")->kept.empty());
    const std::string reported = operator_log.str();
    CAF_CHECK(reported.find("actor_failed") != std::string::npos);
    CAF_CHECK_EQUAL(serving(role), 1u);
    const auto totals = retire("cell-1");
    CAF_REQUIRE(totals);
    CAF_CHECK_EQUAL(totals->in_flight(), 0u);
  }
};

constexpr auto killed = caf::exit_reason::kill;
constexpr auto threw = caf::exit_reason::unhandled_exception;

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervision_tests, fixture)

CAF_TEST(a listener may die) { survives("LISTENER", threw); }
CAF_TEST(a listener may be killed) { survives("LISTENER", killed); }
CAF_TEST(a decoder may die) { survives("DECODER", threw); }
CAF_TEST(a decoder may be killed) { survives("DECODER", killed); }
CAF_TEST(a keepalive may die) { survives("KEEPALIVE", threw); }
CAF_TEST(a sink may die) { survives("SINK", threw); }
CAF_TEST(a sink may be killed) { survives("SINK", killed); }
CAF_TEST(a cell supervisor may die) { survives("CELL SUPERVISOR", threw); }
CAF_TEST(a cell supervisor may be killed) { survives("CELL SUPERVISOR", killed); }

CAF_TEST(a successor of a keepalive reports the silence) {
  pass(5s);
  end("KEEPALIVE", killed);
  consume_messages();
  receive("cell-2", {frame_of("process.spawned", 1)});
  pass(5s);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 0u);
  pass(1s);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 1u);
  CAF_CHECK(log.lines().back().find(R"("cellId":"cell-1")") != std::string::npos);
}

CAF_TEST(a silence that a dead sink did not hear is asked to its successor) {
  pass(9990ms);
  log.refusal = std::make_error_code(std::errc::no_space_on_device);
  pass(20ms);
  end("SINK", killed);
  pass(1s);
  log.refusal = {};
  pass(1s);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 2u);  // one a cell
}

CAF_TEST(a batch that is attributed to another cell reaches no run and costs its own chunk alone) {
  host_stamp_ptr neighbour;
  environment->decode = [&](chunk_ptr chunk, host_stamp_ptr run) {
    if (run->cell_id == "cell-2") neighbour = run;
    batch decoded = decode_chunk(std::move(chunk), run);
    const bool astray = std::any_of(decoded.declarations.begin(), decoded.declarations.end(),
                                    [](const auto& declared) { return declared.guest_comm == "astray"; });
    if (astray) decoded.attribution = neighbour;
    return decoded;
  };
  receive("cell-2", {frame_of("process.exited", 1)});
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  receive("cell-1", {frame_of("process.spawned", 2, "astray"), frame_of("process.spawned", 3)});
  receive("cell-1", {frame_of("process.spawned", 4)});
  consume_messages();
  receive("cell-2", {frame_of("process.exited", 2)});
  consume_messages();
  pass(100ms);
  CAF_CHECK_EQUAL(log.text.find("astray"), std::string::npos);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 2u);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_exited"), 2u);
  CAF_CHECK(quarantine.files == std::vector<std::string>{"cell-1-2"});
  CAF_CHECK(log.text.find(R"("quarantineFile":"cell-1-2","reason":"quarantined")") != std::string::npos);
  CAF_CHECK(sockets.intake("cell-1")->kept.empty());
  CAF_CHECK_EQUAL(events->counts().attributions_refused, 1u);
  const std::string reported = operator_log.str();
  CAF_CHECK(reported.find("attribution_refused") != std::string::npos);
  CAF_CHECK_EQUAL(reported.find("actor_failed"), std::string::npos);
  for (const auto& [id, lost] : std::map<std::string, std::uint64_t>{{"cell-1", 2}, {"cell-2", 0}}) {
    const auto totals = retire(id);
    CAF_REQUIRE(totals);
    CAF_CHECK_EQUAL(totals->quarantined, lost);
    CAF_CHECK_EQUAL(totals->appended, 2u);
    CAF_CHECK_EQUAL(totals->received, 2u + lost);
    CAF_CHECK_EQUAL(totals->in_flight(), 0u);
  }
}

CAF_TEST(a chunk that ends two decoders is set aside and the next one goes on) {
  environment->decode = [](chunk_ptr chunk, host_stamp_ptr run) {
    batch decoded = decode_chunk(std::move(chunk), std::move(run));
    for (const guest_declaration& declared : decoded.declarations) {
      if (declared.guest_comm == "poison") throw std::runtime_error{"poison"};
    }
    return decoded;
  };
  receive("cell-1", {frame_of("process.spawned", 1)});
  receive("cell-1", {frame_of("process.spawned", 2, "poison"), frame_of("process.spawned", 3)});
  receive("cell-1", {frame_of("process.spawned", 4)});
  consume_messages();
  pass(100ms);
  CAF_CHECK_EQUAL(quarantine.files.size(), 1u);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 2u);
  CAF_CHECK(log.text.find(R"("frames":"2")") != std::string::npos);
  CAF_CHECK(log.text.find(R"("quarantineFile":"cell-1-2","reason":"quarantined")") != std::string::npos);
  const auto totals = retire("cell-1");
  CAF_REQUIRE(totals);
  CAF_CHECK_EQUAL(totals->quarantined, 2u);
  CAF_CHECK_EQUAL(totals->appended, 2u);
  CAF_CHECK_EQUAL(totals->in_flight(), 0u);
}

CAF_TEST(a cell whose actors die too often is failed loudly and alone) {
  cell_specification strict = cell("cell-3");
  strict.on_agent_failure = agent_failure_policy::fail_cell;
  environment->limits = {5, 10s, 5s};
  CAF_REQUIRE(admit(strict));
  for (int i = 0; i < 6; ++i) {
    end("KEEPALIVE", killed, "cell-3");
    consume_messages();
  }
  pass(100ms);
  CAF_CHECK(operator_log.str().find("cell_failed cell=cell-3") != std::string::npos);
  CAF_CHECK_EQUAL(status().size(), 2u);
  CAF_CHECK(log.text.find(R"("reason":"cell_failed")") != std::string::npos);
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 1u);
}

CAF_TEST(a cell that is to be kept is tried again after a pause) {
  environment->limits = {5, 10s, 5s};
  CAF_REQUIRE(admit(cell("cell-3")));
  for (int i = 0; i < 6; ++i) {
    end("DECODER", killed, "cell-3");
    consume_messages();
  }
  receive("cell-3", {frame_of("process.spawned", 1)});
  pass(1s, 100ms);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 0u);
  pass(6s, 100ms);
  CAF_CHECK_EQUAL(log.count("guest.v1.process_spawned"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
