// ctest: TIMEOUT 300
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/support/delivery_world.hpp"

#define CAF_SUITE delivery_sweep
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// Empty if nothing was lost, doubled or changed under this seed.
std::string run(std::uint64_t seed, std::size_t collectors, delivery_faults faults, std::uint32_t host_killed) {
  delivery_world world{seed, collectors, faults, host_killed};
  for (const auto end = world.network.now + 20s; world.network.now < end; world.step()) {
    if (world.network.random.one_in(6)) world.grow();
  }
  world.heal();
  if (!world.finish()) return "not everything was delivered";
  return world.compare();
}

void sweep(std::uint64_t first, std::uint64_t last, std::size_t collectors, delivery_faults faults,
           std::uint32_t host_killed = 0) {
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const std::string problem = run(seed, collectors, faults, host_killed);
    if (!problem.empty()) CAF_FAIL("seed " << seed << ", " << collectors << " collectors: " << problem);
  }
  CAF_CHECK(last > first);
}

}  // namespace

CAF_TEST(nothing_is_lost_or_doubled_without_faults) { sweep(1, 3, 1, {}); }

CAF_TEST(lost_doubled_and_late_messages_do_no_harm) {
  sweep(100, 125, 1, {.message_lost = 50, .message_doubled = 30, .late_message = 20});
  sweep(200, 225, 2, {.message_lost = 50, .message_doubled = 30, .late_message = 20});
}

CAF_TEST(cut_connections_and_killed_hosts_do_no_harm) {
  sweep(300, 325, 2, {.connection_refused = 5, .connection_cut = 200}, 400);
}

CAF_TEST(killed_collectors_and_power_cuts_do_no_harm) {
  sweep(400, 425, 1, {.collector_killed = 600, .collector_power_cut = 600});
  sweep(500, 525, 3, {.collector_killed = 300, .collector_power_cut = 300});
}

CAF_TEST(partitioned_links_do_no_harm) {
  sweep(550, 575, 1, {.link_partitioned = 800});
  sweep(575, 600, 2, {.link_partitioned = 400});
}

CAF_TEST(failing_syncs_and_full_disks_do_no_harm) { sweep(600, 625, 2, {.sync_failed = 20, .disk_full = 30}); }

CAF_TEST(everything_at_once_does_no_harm) {
  const delivery_faults faults{200, 200, 100, 20, 600, 1500, 900, 900, 100, 100};
  sweep(700, 740, 1, faults, 900);
  sweep(800, 840, 2, faults, 900);
  sweep(900, 940, 3, faults, 900);
}
