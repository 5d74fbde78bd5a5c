// A host and collectors with a network each, and wires between them that lose, delay and hold back what is sent. Needs
// root, and is skipped where networks of our own are refused.
// CELLOS_PARTITION_SECONDS: how long a network is cut; 8 unless given.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/environment.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/network_wire.hpp"
#include "tests/support/simulator.hpp"

// ctest: TIMEOUT 300 SKIP_REGULAR_EXPRESSION skipped:
#define CAF_SUITE severed_network
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

const std::string host_name{daemon_home::host_id};
constexpr auto recovery_limit = 10s;
constexpr auto fail_over_limit = 5s;

struct networked_collector {
  networked_collector(const certificate_directory& certificates, const network_namespace& host, unsigned number)
      : wire(host, network, number), address(wire.right_address() + ":7440") {
    const std::string name = "collector-" + std::to_string(number);
    certificates.add_collector(name, "IP:" + wire.right_address());
    home.configure({.tables = certificates.tls_table(name) + "[collector]\nlisten = '" + address + "'\ndir = '" +
                              (home / "hosts").string() + "'\n"});
    daemon.emplace(home, command{.program = {}, .before_exec = network.entry()});
    daemon->wait_for_line(" daemon_ready ");
  }

  std::filesystem::path kept() const { return home / "hosts" / host_name; }
  std::uint64_t kept_bytes() const {
    std::uint64_t sum = 0;
    std::error_code absent;
    for (auto entry = std::filesystem::recursive_directory_iterator{kept(), absent};
         !absent && entry != std::filesystem::recursive_directory_iterator{}; entry.increment(absent)) {
      if (entry->path().extension() == ".jsonl") sum += entry->file_size(absent);
    }
    return sum;
  }

  network_namespace network;
  network_wire wire;
  std::string address;
  daemon_home home;
  std::optional<daemon_process> daemon;
};

/// A host whose guest talks, and its collectors.
struct networked_fleet {
  explicit networked_fleet(unsigned collectors_wanted, std::string rate = "1000") {
    certificates.add_host(host_name);
    std::string places;
    for (unsigned i = 1; i <= collectors_wanted; ++i) {
      collectors.push_back(std::make_unique<networked_collector>(certificates, network, i));
      places += (i == 1 ? "'" : ", '") + collectors.back()->address + "'";
    }
    home.configure({.cells = {{.id = "c1"}},
                    .evidence = "segment_bytes = '256KiB'\nfsync = '10ms'\n",
                    .tables = certificates.tls_table(host_name) + "[forward]\ncollectors = [" + places + "]\n"});
    host.emplace(home, command{.program = {}, .before_exec = network.entry()});
    host->wait_for_line(" daemon_ready ");
    host->wait_for_line("collector_reached");
    guest.emplace(simulation{.socket = home.socket_of("c1"), .frames = 0, .further = {"--rate", std::move(rate)}});
    CAF_REQUIRE(holds_within(test_timeout, [&] { return first().kept_bytes() > 100'000; }));
  }

  networked_collector& first() { return *collectors.front(); }

  std::uint64_t log_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [segment, text] : log_text_of(home.evidence_dir())) sum += text.size();
    return sum;
  }

  /// The first collector has what was in the log when this was called: how long that took.
  double seconds_to_catch_up(std::chrono::seconds limit) {
    const auto wanted = log_bytes();
    const auto began = steady::now();
    CAF_CHECK(holds_within(limit, [&] { return first().kept_bytes() >= wanted; }));
    return std::chrono::duration<double>(steady::now() - began).count();
  }

  /// All ends in order, and every line is there once.
  void end() {
    guest->stop();
    (void)seconds_to_catch_up(60s);
    CAF_CHECK_EQUAL(host->stop(), 0);
    CAF_CHECK_EQUAL(count_lines(host->err(), "forwarding_unfinished"), 0u);
    const log_text log = log_text_of(home.evidence_dir());
    copies_check check{log};
    for (const auto& each : collectors) {
      std::error_code absent;
      for (const auto& copy : std::filesystem::directory_iterator{each->kept(), absent}) check.look_at(copy.path());
    }
    CAF_CHECK_EQUAL(check.finish(), "");
  }

  certificate_directory certificates;
  network_namespace network;
  std::vector<std::unique_ptr<networked_collector>> collectors;
  daemon_home home;
  std::optional<daemon_process> host;
  std::optional<simulator> guest;
};

bool skipped() {
  const std::string why = network_namespace::why_not();
  if (!why.empty()) CAF_MESSAGE("skipped: " << why);
  return !why.empty();
}

void let_pass(std::chrono::nanoseconds duration) {
  (void)holds_within(duration, [] { return false; });
}

/// Cuts and heals the wire to the only collector.
void partition(const char* what, network_wire::weather to_collector, network_wire::weather to_host) {
  networked_fleet fleet{1};
  fleet.first().wire.to_right(to_collector);
  fleet.first().wire.to_left(to_host);
  let_pass(std::chrono::seconds{amount_of("CELLOS_PARTITION_SECONDS", 8)});
  fleet.first().wire.both_ways({});
  const double seconds = fleet.seconds_to_catch_up(60s);
  CAF_MESSAGE(what << ": caught up " << seconds << " s after it healed");
  const bool soon = seconds < std::chrono::duration<double>(recovery_limit).count();
  CAF_CHECK(soon);
  if (!soon) CAF_MESSAGE(fleet.host->err());
  fleet.end();
}

/// Talks on while the wire is so, and then ends while it still is.
void live_with(const char* what, network_wire::weather weather) {
  networked_fleet fleet{1, "3000"};
  fleet.first().wire.both_ways(weather);
  let_pass(5s);
  const double seconds = fleet.seconds_to_catch_up(60s);
  CAF_MESSAGE(what << ": caught up after " << seconds << " s");
  fleet.end();
  CAF_CHECK_EQUAL(count_lines(fleet.host->err(), "collector_lost"), 0u);
}

/// The first of two collectors answers no more: how long until the second has lines.
void fail_over(const char* what, const std::function<void(networked_fleet&)>& strike,
               const std::function<void(networked_fleet&)>& heal) {
  networked_fleet fleet{2};
  strike(fleet);
  const auto began = steady::now();
  CAF_REQUIRE(holds_within(test_timeout, [&] { return fleet.collectors[1]->kept_bytes() > 0; }));
  const auto took = steady::now() - began;
  CAF_MESSAGE(what << ": the next one had lines after " << std::chrono::duration<double>(took).count() << " s");
  CAF_CHECK_LESS(took, fail_over_limit);
  heal(fleet);
  fleet.guest->stop();
  CAF_CHECK_EQUAL(fleet.host->stop(), 0);
  const log_text log = log_text_of(fleet.home.evidence_dir());
  copies_check check{log};
  for (const auto& each : fleet.collectors) {
    for (const auto& copy : std::filesystem::directory_iterator{each->kept()}) check.look_at(copy.path());
  }
  CAF_CHECK_EQUAL(check.finish(), "");
}

}  // namespace

CAF_TEST(a network that is cut loses nothing and is used again soon after it healed) {
  if (skipped()) return;
  partition("a black hole", network_wire::cut, network_wire::cut);
}

CAF_TEST(neither does one that is cut in one direction) {
  if (skipped()) return;
  partition("nothing reaches the collector", network_wire::cut, {});
  partition("nothing reaches the host", {}, network_wire::cut);
}

CAF_TEST(a bad network is slow and no more) {
  if (skipped()) return;
  live_with("200 ms there and back", {.delay = 100ms});
  live_with("5 % lost each way", {.lost_percent = 5});
  live_with("8 Mbit/s", {.bits_per_second = 8'000'000});
}

CAF_TEST(a collector that answers no more is left within five seconds) {
  if (skipped()) return;
  fail_over(
      "stopped", [](networked_fleet& fleet) { fleet.first().daemon->freeze(); },
      [](networked_fleet& fleet) { fleet.first().daemon->thaw(); });
  fail_over(
      "black hole", [](networked_fleet& fleet) { fleet.first().wire.both_ways(network_wire::cut); },
      [](networked_fleet& fleet) { fleet.first().wire.both_ways({}); });
}
