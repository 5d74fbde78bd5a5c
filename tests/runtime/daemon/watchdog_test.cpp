#include "runtime/daemon/watchdog.hpp"

#include <spdlog/sinks/ringbuffer_sink.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/wait.hpp"

#define CAF_SUITE watchdog
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> ring = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(100);
  operator_events events{std::make_shared<spdlog::logger>("test", ring), log_format::text};
  activity_census census;

  /// How often the operator was told of this cell's DECODER.
  std::size_t told(const std::string& cell_id) {
    std::size_t count = 0;
    for (const std::string& line : ring->last_formatted()) {
      const bool about = line.find("actor_hung role=DECODER cell=" + cell_id + " ") != std::string::npos;
      count += about ? 1 : 0;
    }
    return count;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(watchdog_tests, fixture)

CAF_TEST(a_handler_that_does_not_come_back_is_told_once_and_again_when_another_hangs) {
  const activity_ptr hung = census.enter("DECODER", "hung", {});
  const activity_ptr idle = census.enter("DECODER", "idle", {});
  const watchdog watching{census, events, {20ms, 2ms}};
  {
    const activity::mark busy{*hung};
    CAF_CHECK(holds_within(patience, [&] { return told("hung") == 1; }));
    // Ten looks later it is still told once.
    CAF_CHECK(!holds_within(20ms, [&] { return told("hung") > 1; }));
  }
  {
    // The watchdog has to have seen it idle.
    CAF_CHECK(!holds_within(50ms, [&] { return told("hung") > 1; }));
    const activity::mark busy_again{*hung};
    CAF_CHECK(holds_within(patience, [&] { return told("hung") == 2; }));
  }
  CAF_CHECK_EQUAL(told("idle"), 0u);
}

CAF_TEST(handlers_that_come_back_in_time_are_not_told) {
  const activity_ptr busy = census.enter("DECODER", "busy", {});
  const watchdog watching{census, events, {1h, 1ms}};
  for (int i = 0; i < 1000; ++i) const activity::mark working{*busy};
  CAF_CHECK(!holds_within(20ms, [&] { return told("busy") > 0; }));
}

CAF_TEST(an_actor_that_died_hanging_is_forgotten) {
  activity_ptr hung = census.enter("DECODER", "gone", {});
  const watchdog watching{census, events, {20ms, 2ms}};
  std::optional<activity::mark> busy;
  busy.emplace(*hung);
  CAF_CHECK(holds_within(patience, [&] { return told("gone") == 1; }));
  busy.reset();
  hung.reset();
  CAF_CHECK(holds_within(patience, [&] { return census.present().empty(); }));
}

CAF_TEST_FIXTURE_SCOPE_END()
