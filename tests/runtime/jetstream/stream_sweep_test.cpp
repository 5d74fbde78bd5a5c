// ctest: TIMEOUT 300
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/support/stream_world.hpp"

#define CAF_SUITE stream_sweep
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Empty if the stream has each line once and in order under this seed.
std::string run(std::uint64_t seed, stream_fence fence, stream_faults faults) {
  stream_world world{seed, fence, faults};
  for (const auto end = world.now + 20s; world.now < end; world.step()) {
    if (world.random.one_in(6)) world.grow();
  }
  world.heal();
  if (!world.finish()) return "not everything was delivered";
  const bool is_unforeseen = std::ranges::any_of(world.notes, [](const receiver_note& each) {
    return each.what == receiver_note::kind::forked || each.what == receiver_note::kind::lines_undelivered;
  });
  if (is_unforeseen) return "a fork or a gap was noted";
  return world.stream.lines() == world.log_text() ? "" : "the stream does not have the log";
}

void sweep(std::uint64_t first, std::uint64_t last, stream_faults faults) {
  for (const auto fence : {stream_fence::stream, stream_fence::subject}) {
    stream_faults those = faults;
    if (fence == stream_fence::stream) those.other_writer = 0;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
      const std::string problem = run(seed, fence, those);
      if (!problem.empty()) CAF_FAIL("seed " << seed << ", fence " << to_string(fence) << ": " << problem);
    }
  }
  CAF_CHECK(last > first);
}

}  // namespace

CAF_TEST(without_faults_each_line_is_there_once) { sweep(1, 10, {}); }

CAF_TEST(lost_answers_and_connections_double_and_lose_nothing) {
  sweep(100, 115, {.answer_lost = 100, .connection_cut = 100, .connection_stalled = 200});
}

CAF_TEST(what_a_power_cut_takes_from_the_server_is_delivered_again) {
  sweep(200, 215, {.connection_cut = 400, .server_power_cut = 300});
}

CAF_TEST(a_full_stream_is_waited_for) { sweep(300, 312, {.connection_stalled = 400, .stream_full = 100}); }

CAF_TEST(a_killed_host_goes_on_behind_the_stream_s_tail) {
  sweep(400, 415, {.answer_lost = 300, .connection_stalled = 300, .host_killed = 200});
}

CAF_TEST(what_the_stream_removed_by_age_is_not_delivered_again) {
  sweep(500, 512, {.connection_cut = 200, .messages_aged = 100});
}

CAF_TEST(other_writers_of_a_shared_stream_do_no_harm) {
  sweep(600, 612, {.connection_cut = 200, .server_power_cut = 500, .other_writer = 20});
}

CAF_TEST(everything_at_once_does_no_harm) { sweep(700, 725, {200, 200, 300, 600, 300, 300, 0, 50}); }
