#define CAF_SUITE cell_share
#include <caf/send.hpp>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Two cells whose shares are some 40 lines, in a log that refuses nothing.
struct fixture : host_fixture {
  fixture() {
    environment->cell_share = {.bytes = 20'000, .interval = 1h, .hold = 2s};
    start_host();
    CAF_REQUIRE(admit(cell("floods")));
    CAF_REQUIRE(admit(cell("quiet")));
  }

  void flood(std::size_t frames) {
    receive("floods", std::vector(frames, frame_of("process.spawned", 1)));
    consume_messages();
  }
  void say_one() {
    receive("quiet", {frame_of("process.exited", 1)});
    consume_messages();
  }
  std::size_t waiting() { return sockets.intake("floods")->kept.size(); }
  std::size_t of_flood() const { return log.count("guest.v1.process_spawned"); }

  void end_sink() {
    for (const activity_ptr& actor : activities.present()) {
      if (std::string_view{actor->role()} != "SINK") continue;
      const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor->actor());
      CAF_REQUIRE(handle);
      return caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), caf::exit_reason::kill);
    }
    CAF_FAIL("no SINK");
  }

  void check_balanced(const run_totals& totals, std::uint64_t received) {
    CAF_CHECK_EQUAL(totals.received, received);
    CAF_CHECK_EQUAL(totals.in_flight(), 0u);
    CAF_CHECK_EQUAL(totals.appended, of_flood());
    CAF_CHECK_EQUAL(totals.appended + totals.refused[telemetry_errc::over_quota], received);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(cell_share_tests, fixture)

CAF_TEST(a cell over its share is held back and not the others) {
  flood(10);
  CAF_CHECK_EQUAL(waiting(), 0u);
  flood(200);
  CAF_CHECK_EQUAL(of_flood(), 10u);
  CAF_CHECK_EQUAL(waiting(), 1u);
  say_one();
  CAF_CHECK_EQUAL(log.count("guest.v1.process_exited"), 1u);
  CAF_CHECK(sockets.intake("quiet")->kept.empty());
  pass(1900ms);
  CAF_CHECK_EQUAL(waiting(), 1u);
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 0u);
}

CAF_TEST(a cell that stays over its share is refused what the share does not cover) {
  flood(10);
  flood(200);
  pass(2100ms);
  CAF_CHECK_EQUAL(waiting(), 0u);
  CAF_CHECK(of_flood() > 20 && of_flood() < 60);
  // From here on nothing is held back.
  flood(200);
  CAF_CHECK_EQUAL(waiting(), 0u);
  CAF_CHECK(log.text.size() < 20'000 + 10'000);
  const auto totals = retire("floods");
  CAF_REQUIRE(totals);
  check_balanced(*totals, 410);
  CAF_CHECK(totals->refused[telemetry_errc::over_quota] > 350);
}

CAF_TEST(what was refused is summarised and on the operators log) {
  flood(10);
  flood(200);
  pass(3500ms);
  CAF_CHECK_EQUAL(log.count("guest.v1.telemetry_dropped"), 1u);
  CAF_CHECK(log.text.find(R"("over_quota":"1)") != std::string::npos);
  CAF_CHECK(operator_log.str().find("over_quota:") != std::string::npos);
}

CAF_TEST(summaries of a cell in debt wait so that they do not fill the log either) {
  for (int i = 0; i < 300; ++i) {
    receive("floods", {malformed_frame()});
    pass(1s, 100ms);
  }
  CAF_CHECK(log.count("guest.v1.telemetry_dropped") < 60);
  CAF_CHECK(log.text.size() < 2 * 20'000);
  const auto totals = retire("floods");
  CAF_REQUIRE(totals);
  CAF_CHECK_EQUAL(totals->refused[telemetry_errc::malformed_frame], 300u);
  std::uint64_t summarised = 0;
  for (const std::string& line : log.lines()) {
    const std::string mark = R"("reason":"frames_refused","refused":{"framing_lost":"0","malformed_frame":")";
    if (const auto at = line.find(mark); at != std::string::npos)
      summarised += std::stoull(line.substr(at + mark.size()));
  }
  CAF_CHECK_EQUAL(summarised, 300u);
}

CAF_TEST(the share is the cells and not the runs) {
  flood(10);
  flood(200);
  pass(2100ms);
  const std::size_t before = of_flood();
  CAF_REQUIRE(retire("floods"));
  auto again = cell("floods");
  again.run_id = "run-2";
  CAF_REQUIRE(admit(again));
  flood(100);
  pass(2100ms);
  CAF_CHECK(of_flood() < before + 5);
}

CAF_TEST(another sink goes on with the share and with the hold) {
  flood(10);
  flood(200);
  pass(1500ms);
  end_sink();
  consume_messages();
  CAF_CHECK_EQUAL(waiting(), 1u);
  pass(400ms);
  CAF_CHECK_EQUAL(waiting(), 1u);
  pass(300ms);
  CAF_CHECK_EQUAL(waiting(), 0u);
  const std::size_t appended = of_flood();
  end_sink();
  consume_messages();
  flood(100);
  pass(100ms);
  CAF_CHECK(of_flood() <= appended + 1);
  const auto totals = retire("floods");
  CAF_REQUIRE(totals);
  check_balanced(*totals, 310);
}

CAF_TEST(a cell that is retired while it is held back balances) {
  flood(10);
  flood(200);
  auto pending = self->request(host, caf::infinite, retire_atom::value, std::string{"floods"});
  consume_messages();
  pass(2500ms);
  pending.receive([this](const run_totals& totals) { check_balanced(totals, 210); },
                  [](const caf::error& why) { CAF_ERROR(explanation(why)); });
}

CAF_TEST(a guest that is held back is not called silent) {
  auto short_window = cell("impatient");
  short_window.keepalive_window = 1s;
  CAF_REQUIRE(admit(short_window));
  const std::vector burst(200, frame_of("process.spawned", 1));
  receive("impatient", burst);
  consume_messages();
  CAF_CHECK_EQUAL(sockets.intake("impatient")->kept.size(), 1u);
  pass(450ms);
  CAF_CHECK_EQUAL(sockets.intake("impatient")->kept.size(), 1u);
  pass(150ms);
  CAF_CHECK(sockets.intake("impatient")->kept.empty());
  CAF_CHECK_EQUAL(log.count("guest.v1.agent_silenced"), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
