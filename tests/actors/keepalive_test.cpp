#define CAF_SUITE keepalive
#include "actors/keepalive.hpp"

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : host_fixture {
  fixture() {
    start_host();
    cell_specification specification = cell("cell-1");
    specification.keepalive_window = 200ms;
    CAF_REQUIRE(admit(specification));
  }

  std::size_t silences() { return log.count("guest.v1.agent_silenced"); }
  std::size_t resumptions() { return log.count("guest.v1.agent_resumed"); }
  void declare() { receive("cell-1", {frame_of("process.spawned", ++reported)}); }

  std::uint64_t reported = 0;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(keepalive_tests, fixture)

CAF_TEST(frames within the window keep it quiet) {
  for (int i = 0; i < 100; ++i) {
    declare();
    pass(50ms);
  }
  CAF_CHECK_EQUAL(silences(), 0u);
}

CAF_TEST(admission counts as the first frame) {
  pass(200ms);
  CAF_CHECK_EQUAL(silences(), 0u);
  pass(10ms);
  CAF_CHECK_EQUAL(silences(), 1u);
}

CAF_TEST(silence is reported once however long it lasts) {
  declare();
  pass(20s);
  CAF_CHECK_EQUAL(silences(), 1u);
  CAF_CHECK_EQUAL(resumptions(), 0u);
}

CAF_TEST(a return is reported once and a second silence not at all) {
  declare();
  pass(1s);
  declare();
  pass(5s);
  declare();
  pass(5s);
  CAF_CHECK_EQUAL(silences(), 1u);
  CAF_CHECK_EQUAL(resumptions(), 1u);
  const auto lines = log.lines();
  CAF_REQUIRE_EQUAL(lines.size(), 6u);
  CAF_CHECK(lines[3].find("agent_resumed") != std::string::npos);
  CAF_CHECK(lines[4].find("process_spawned") != std::string::npos);
}

CAF_TEST(heartbeats are signs of life and leave no event) {
  for (int i = 0; i < 20; ++i) {
    receive("cell-1", {frame_of("agent.heartbeat", 0)});
    pass(150ms);
  }
  CAF_CHECK_EQUAL(silences(), 0u);
  CAF_CHECK_EQUAL(log.lines().size(), 1u);
}

CAF_TEST(refused frames are no signs of life) {
  for (int i = 0; i < 10; ++i) {
    receive("cell-1", {malformed_frame()});
    pass(50ms);
  }
  CAF_CHECK_EQUAL(silences(), 1u);
}

CAF_TEST(a frame read before the deadline counts although it is decoded after it) {
  pass(190ms);
  declare();  // read, and waiting in the LISTENER's mailbox
  clock.time += 50ms;
  advance_time(50ms);
  consume_messages();
  CAF_CHECK_EQUAL(silences(), 0u);
  pass(300ms);
  CAF_CHECK_EQUAL(silences(), 1u);
}

CAF_TEST(a retired cell reports no silence) {
  CAF_REQUIRE(retire("cell-1"));
  pass(5s);
  CAF_CHECK_EQUAL(silences(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
