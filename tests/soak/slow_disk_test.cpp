#define CAF_SUITE slow_disk
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "caf/test/dsl.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/soak/auditor.hpp"
#include "tests/soak/live_host.hpp"
#include "tests/soak/log_follower.hpp"
#include "tests/soak/steady_guest.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t cells = 4;
constexpr std::uint64_t frames = 20'000;

/// Every write and every sync takes its time.
void be_slow(test::faulty_file_system& files) {
  files.fault = [](test::file_call call) {
    const auto takes = call == test::file_call::write ? 20ms : call == test::file_call::fdatasync ? 100ms : 0ms;
    if (takes > 0ms) test::holds_within(takes, [] { return false; });
    return 0;
  };
}

void lose_nothing(fsync_policy policy) {
  const test::temporary_directory home;
  test::faulty_file_system files;
  be_slow(files);
  soak::live_host_options options;
  options.dir = home.path();
  options.log.fsync = policy;
  soak::live_host host{options, files};
  soak::log_follower follower{host.evidence_dir(), host.log(), host.decoding(),
                              soak::log_follower::order::of_each_cell};
  std::vector<std::unique_ptr<soak::steady_guest>> guests;
  for (std::size_t i = 1; i <= cells; ++i) {
    const cell_specification cell = host.cell("cell-" + std::to_string(i));
    CAF_REQUIRE(host.admit(cell));
    guests.push_back(std::make_unique<soak::steady_guest>(soak::guest_plan{cell.socket_path(), frames, i, 0}));
  }
  soak::auditor audit{host, {}, 10ms};
  // Accepting never waits for the disk.
  for (int i = 0; i < 20; ++i) {
    const auto before = std::chrono::steady_clock::now();
    CAF_CHECK(test::accepts_connections(host.cell("cell-1").socket_path()));
    CAF_CHECK(std::chrono::steady_clock::now() - before < 50ms);
  }
  std::uint64_t declared = 0;
  for (const auto& guest : guests) declared += guest->finish().declarations();
  CAF_CHECK_EQUAL(host.stop(), 0u);
  for (const std::string& fault : audit.finish().faults) CAF_CHECK_EQUAL(fault, "");
  CAF_CHECK(!host.log().close());
  const auto logged = follower.finish();
  for (const std::string& fault : logged.faults) CAF_CHECK_EQUAL(fault, "");
  CAF_CHECK_EQUAL(logged.declarations, declared);
  CAF_CHECK_EQUAL(logged.lost, 0u);
  CAF_CHECK_EQUAL(logged.duplicated, 0u);
}

}  // namespace

CAF_TEST(a slow disk that is synced at intervals loses nothing and keeps nobody from connecting) {
  lose_nothing(fsync_policy::interval);
}

CAF_TEST(a slow disk that is always synced loses nothing and keeps nobody from connecting) {
  lose_nothing(fsync_policy::always);
}
