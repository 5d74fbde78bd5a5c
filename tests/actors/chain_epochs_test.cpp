#define CAF_SUITE chain_epochs
#include "actors/chain_epochs.hpp"

#include <caf/test/dsl.hpp>

#include <set>
#include <thread>
#include <vector>

#include "actors/sink_journal.hpp"
#include "tests/support/manual_world.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr wall_time noon{std::chrono::seconds{1'700'000'000}};

}  // namespace

CAF_TEST(an epoch is the time in milliseconds where that is new) {
  chain_epochs epochs;
  CAF_CHECK_EQUAL(epochs.next(noon), 1'700'000'000'000u);
  CAF_CHECK_EQUAL(epochs.next(noon + 5ms), 1'700'000'000'005u);
}

CAF_TEST(no epoch comes twice whatever the clock does) {
  chain_epochs epochs{1'700'000'000'500};
  CAF_CHECK_EQUAL(epochs.next(noon), 1'700'000'000'501u);
  CAF_CHECK_EQUAL(epochs.next(noon), 1'700'000'000'502u);
  CAF_CHECK_EQUAL(epochs.next(noon - 24h), 1'700'000'000'503u);
  CAF_CHECK_EQUAL(epochs.next(wall_time{-5s}), 1'700'000'000'504u);
}

CAF_TEST(threads that ask at once get different ones) {
  chain_epochs epochs;
  std::vector<std::vector<std::uint64_t>> answers(4);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&epochs, &answer] {
      for (int i = 0; i < 1000; ++i) answer.push_back(epochs.next(noon));
    });
  }
  for (std::thread& each : threads) each.join();
  std::set<std::uint64_t> all;
  for (const auto& answer : answers) all.insert(answer.begin(), answer.end());
  CAF_CHECK_EQUAL(all.size(), 4000u);
}

CAF_TEST(two runs of one id in one millisecond have chains of their own) {
  manual_clock clock;
  memory_log log;
  sink_journal sink{log, clock};
  std::set<std::string> chains;
  for (int i = 0; i < 3; ++i) {
    const auto run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
    chains.insert(sink.open_run(run, {"test", 10s, {}}));
    sink.close_run(run, {run_end_reason::retired, 0, 0});
  }
  CAF_CHECK_EQUAL(chains.size(), 3u);
}
