#define CAF_SUITE watchdog
#include "runtime/daemon/watchdog.hpp"

#include <spdlog/logger.h>

#include <memory>
#include <string>

#include "caf/test/dsl.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

/// A watchdog with little test_timeout and what it says.
struct fixture {
  fixture() : watching(activities, events, {.timeout = 20ms, .interval = 2ms}) {}

  bool reports(std::uint64_t times) {
    return test::holds_within(test::test_timeout, [&] { return reported->count("actor_hung") == times; });
  }
  /// Long enough for many looks.
  bool stays_at(std::uint64_t times) {
    return !test::holds_within(100ms, [&] { return reported->count("actor_hung") != times; });
  }

  activity_registry activities;
  std::shared_ptr<soak::event_counter> reported = std::make_shared<soak::event_counter>();
  operator_events events{std::make_shared<spdlog::logger>("test", reported), log_format::text};
  watchdog watching;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(watchdog_tests, fixture)

CAF_TEST(a handler that does not come back is reported once with role and cell) {
  const activity_ptr hung = activities.enter("DECODER", "cell-1", {});
  const activity::mark busy{*hung};
  CAF_CHECK(reports(1));
  CAF_CHECK(stays_at(1));
  CAF_CHECK(reported->last("actor_hung").find("role=DECODER cell=cell-1 busy_for=") != std::string::npos);
}

CAF_TEST(a handler that hangs again is reported again) {
  const activity_ptr hung = activities.enter("SINK", "", {});
  {
    const activity::mark busy{*hung};
    CAF_CHECK(reports(1));
  }
  // Idle for several looks, so that the next time is another time.
  CAF_CHECK(stays_at(1));
  const activity::mark busy{*hung};
  CAF_CHECK(reports(2));
}

CAF_TEST(an idle actor and one that is gone are never reported) {
  const activity_ptr idle = activities.enter("LISTENER", "cell-1", {});
  activities.enter("DECODER", "cell-1", {});
  CAF_CHECK(stays_at(0));
}

CAF_TEST(each of two that hang is reported) {
  const activity_ptr one = activities.enter("DECODER", "cell-1", {});
  const activity_ptr other = activities.enter("DECODER", "cell-2", {});
  const activity::mark busy{*one};
  const activity::mark busy_too{*other};
  CAF_CHECK(reports(2));
  CAF_CHECK(stays_at(2));
}

CAF_TEST_FIXTURE_SCOPE_END()
