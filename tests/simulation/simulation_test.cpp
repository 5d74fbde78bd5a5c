#define CAF_SUITE simulation
#include "tests/simulation/simulation.hpp"

#include <caf/test/dsl.hpp>

using namespace cellos::simulation;

namespace {

constexpr std::uint64_t seeds_here = 500;

/// The first seed at which the bug shows, or 0.
std::uint64_t found_at(planted_bug bug) {
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    if (!simulate(seed, bug).violations.empty()) return seed;
  }
  return 0;
}

}  // namespace

CAF_TEST(every promise is kept under every seed) {
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    const outcome result = simulate(seed);
    for (const std::string& violation : result.violations) CAF_ERROR("seed " << seed << ": " << violation);
  }
}

CAF_TEST(a seed replays bit for bit) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const outcome once = simulate(seed);
    const outcome again = simulate(seed);
    CAF_CHECK_EQUAL(once.digest, again.digest);
    CAF_CHECK(once.trace == again.trace);
  }
}

CAF_TEST(an acknowledgement before the append is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::acknowledge_before_append), 0u);
}

CAF_TEST(a replay that is not recognised is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::replay_renumbered), 0u);
}

CAF_TEST(credit that leaks is found) { CAF_CHECK_NOT_EQUAL(found_at(planted_bug::credit_leak), 0u); }

CAF_TEST(silence that is reported twice is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::silence_reported_twice), 0u);
}

CAF_TEST(a log that counts as durable what is not is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::commit_before_sync), 0u);
}

CAF_TEST(half an append that a start leaves is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::half_append_kept), 0u);
}

CAF_TEST(lines that are forwarded before they are on disk are found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::forward_before_commit), 0u);
}

CAF_TEST(a collector that answers before its disk was synced is found) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::answer_before_sync), 0u);
}
