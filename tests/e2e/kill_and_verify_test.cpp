// CELLOS_KILLS: how often a daemon is killed, 10 unless given. CELLOS_KILLS_SEED: the printed one, for the same logs
// and the same delays; what a daemon was about when it was killed is up to the machine.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/cloud_event.hpp"
#include "messages/host_event.hpp"
#include "runtime/guest_sim/splitmix.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE kill_and_verify
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 300

using namespace cellos;
using namespace cellos::test;
using nlohmann::json;

namespace {

constexpr std::uint32_t most_kills_of_one_log = 5;
constexpr std::uint32_t least_log_kib = 64;
constexpr std::uint32_t most_log_kib = 1024;
constexpr std::uint32_t longest_life_us = 300'000;
/// Of a daemon that is killed before it is ready.
constexpr std::uint32_t longest_boot_us = 60'000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::stoull(given);
}

/// By the cell's id.
using chains = std::map<std::string, std::string>;

/// One log, from its first line to its clean end.
class killed_host {
 public:
  explicit killed_host(guest_sim::splitmix& random) : random_(random) {
    process keygen{{program_path("cellos-telemetryctl"), {"keygen", "--kid", "k", "--out", home_ / "k"}}};
    CAF_REQUIRE_EQUAL(keygen.wait(), 0);
    // Small logs more often: they forget more.
    const std::uint32_t kib = least_log_kib + random.below(most_log_kib - least_log_kib) * random.below(4) / 3;
    const std::string mode = random.below(2) == 0 ? "event" : "checkpoint";
    settings_.cells = {{.id = "loud"}, {.id = "louder"}, {.id = "mute"}};
    settings_.evidence =
        "max_bytes = '" + std::to_string(kib) + "KiB'\nfsync = '" + (random.below(2) == 0 ? "10ms" : "never") + "'\n";
    settings_.tables = "[signing]\nalg = 'ed25519'\nkid = 'k'\nkey_file = '" + (home_ / "k").native() + "'\nmode = '" +
                       mode + "'\ncheckpoint_events = 50\ncheckpoint_interval = '20ms'\n";
    home_.configure(settings_);
    rate_ = random.below(3) == 0 ? "0" : "3000";
    CAF_MESSAGE("a log of " << kib << " KiB, mode " << mode << ", guests' rate " << rate_);
  }

  void be_killed_in_boot() {
    daemon_process daemon{home_};
    std::this_thread::sleep_for(std::chrono::microseconds{random_.below(longest_boot_us)});
    daemon.send(SIGKILL);
    daemon.wait();
    after_kill();
  }

  void be_killed_under_load() {
    auto daemon = daemon_process::ready(home_);
    check_gaps();
    const std::uint64_t before = bytes_in_log();
    {
      std::vector<simulator> guests;
      for (const char* cell : {"loud", "louder"}) {
        guests.emplace_back(
            simulation{.socket = home_.socket_of(cell), .further = {"--connect-timeout", "100ms", "--rate", rate_}});
      }
      // At times before the guests have come, otherwise while both write.
      if (random_.below(4) != 0) CAF_REQUIRE(holds_within(test_timeout, [&] { return bytes_in_log() != before; }));
      std::this_thread::sleep_for(std::chrono::microseconds{random_.below(longest_life_us)});
      daemon.send(SIGKILL);
      CAF_CHECK_EQUAL(daemon.wait(), 128 + SIGKILL);
    }
    after_kill();
  }

  void end_in_order() {
    auto daemon = daemon_process::ready(home_);
    check_gaps();
    CAF_CHECK_EQUAL(daemon.stop(), 0);
    const json report = verify({"--finished"});
    CAF_CHECK_EQUAL(report["findings"].dump(), "[]");
    for (const auto& chain : report["chains"]) CAF_CHECK_EQUAL(chain["state"], "ended");
  }

 private:
  json verify(std::vector<std::string> more) const {
    std::vector<std::string> arguments{
        "verify", "--json", "--keys", home_ / "k.pub.json", "--host", std::string{daemon_home::host_id}};
    arguments.insert(arguments.end(), more.begin(), more.end());
    // Behind an option that takes none.
    arguments.insert(arguments.begin() + 1, home_.evidence_dir().native());
    process verifier{{program_path("cellos-telemetryctl"), std::move(arguments)}};
    verifier.wait();
    const json report = json::parse(verifier.out(), nullptr, false);
    if (!report.is_object()) CAF_FAIL("no report: " << verifier.err());
    return report;
  }

  std::uint64_t bytes_in_log() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator{home_.evidence_dir()}) {
      std::error_code vanished;
      const auto size = entry.file_size(vanished);
      if (!vanished && entry.path().extension() == ".jsonl") sum += size;
    }
    return sum;
  }

  /// Half a line may be there; nothing else may look as if somebody had been at it.
  void after_kill() {
    if (!std::filesystem::exists(home_.evidence_dir()) || std::filesystem::is_empty(home_.evidence_dir())) return;
    if (count_in_log(home_.evidence_dir(), "host.v1.started") == 0 && served_.empty()) return;
    for (const auto& each : verify({})["findings"]) CAF_CHECK_EQUAL(each["cause"], "unterminated");
  }

  /// Right behind the latest start: each run that was open goes on where it was, behind a note of the gap.
  void check_gaps() {
    chains served;
    chains gaps;
    std::map<std::string, bool> goes_on;
    visit_events_since_start([&](const event& each) {
      served[each.cell_id] = each.chain;
      if (each.type == name_of(event_type::telemetry_dropped) &&
          each.reason == to_string(loss_reason::daemon_restart)) {
        gaps[each.cell_id] = each.chain;
      }
    });
    for (const auto& [cell, chain] : served_) {
      CAF_MESSAGE(cell);
      CAF_CHECK_EQUAL(gaps[cell], chain);
      CAF_CHECK_EQUAL(served[cell], chain);
    }
    CAF_CHECK_EQUAL(served.size(), settings_.cells.size());
    served_ = served;
  }

  /// The events of runs, from the time of the last `host.v1.started` on.
  void visit_events_since_start(const std::function<void(const event&)>& visit) const {
    std::string started;
    visit_host_events(home_.evidence_dir(), [&](const event& each) {
      if (each.type == name_of(event_type::host_started)) started = each.time;
    });
    CAF_REQUIRE(!started.empty());
    visit_events(home_.evidence_dir(), [&](const event& each) {
      if (each.time >= started) visit(each);
    });
  }

  guest_sim::splitmix& random_;
  daemon_settings settings_;
  daemon_home home_;
  /// Frames a second of each guest; 0: bursts of whole chunks.
  std::string rate_;
  /// As of the last life that got ready.
  chains served_;
};

}  // namespace

CAF_TEST(a_daemon_killed_at_any_moment_leaves_nothing_that_looks_like_tampering_and_puts_its_gaps_on_record) {
  const std::uint64_t kills = from_environment("CELLOS_KILLS", 10);
  const std::uint64_t seed = from_environment("CELLOS_KILLS_SEED", std::random_device{}());
  CAF_MESSAGE("CELLOS_KILLS_SEED=" << seed);
  guest_sim::splitmix random{seed};
  for (std::uint64_t done = 0; done < kills;) {
    killed_host host{random};
    const std::uint64_t of_this = std::min<std::uint64_t>(kills - done, 1 + random.below(most_kills_of_one_log));
    for (std::uint64_t i = 0; i < of_this; ++i) {
      if (random.below(4) == 0) {
        host.be_killed_in_boot();
      } else {
        host.be_killed_under_load();
      }
    }
    host.end_in_order();
    done += of_this;
  }
}
