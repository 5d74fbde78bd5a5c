#include <signal.h>

#include <optional>
#include <random>
#include <string>

#include "tests/support/environment.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/simulator.hpp"

// ctest: TIMEOUT 300
#define CAF_SUITE forwarding
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::string host_name{daemon_home::host_id};
constexpr std::uint64_t frames = 5000;

struct fleet {
  fleet() {
    certificates.add_host(host_name);
    for (const char* name : {"collector-1", "collector-2"}) certificates.add_collector(name);
  }

  /// Of a host that forwards to these, the first if it can.
  daemon_settings host_settings(std::initializer_list<const collector_node*> collectors) const {
    std::string places;
    for (const collector_node* each : collectors) places += (places.empty() ? "'" : ", '") + each->address() + "'";
    return {.cells = {{.id = "c1"}},
            .evidence = "segment_bytes = '256KiB'\nfsync = '10ms'\n",
            .tables = certificates.tls_table(host_name) + "[forward]\ncollectors = [" + places + "]\n"};
  }

  certificate_directory certificates;
};

std::uint64_t last_segment(const daemon_home& home) {
  std::error_code failure;
  return list_segments(home.evidence_dir(), failure).back().segment;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(forwarding_tests, fleet)

CAF_TEST(a collector has every byte of a log whose host has stopped) {
  collector_node collector{certificates, "collector-1"};
  const daemon_home home{host_settings({&collector})};
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(difference(home, {&collector}), "");
  CAF_CHECK_EQUAL(collector.copies_of(host_name).size(), 1u);
  CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
  CAF_MESSAGE("a second life of the host goes on in the same copy");
  auto again = daemon_process::ready(home);
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(again.stop(), 0);
  CAF_CHECK_EQUAL(difference(home, {&collector}), "");
  CAF_CHECK_EQUAL(collector.daemon().stop(), 0);
}

CAF_TEST(what is killed loses and doubles nothing) {
  const auto seed = static_cast<unsigned>(amount_of("CELLOS_FLEET_SEED", 1));
  const std::size_t kills = amount_of("CELLOS_FLEET_KILLS", 3);
  CAF_MESSAGE("CELLOS_FLEET_SEED=" << seed);
  std::mt19937 random{seed};
  collector_node first{certificates, "collector-1"};
  collector_node second{certificates, "collector-2"};
  const daemon_home home{host_settings({&first, &second})};
  std::optional<daemon_process> host;
  host.emplace(daemon_process::ready(home));
  for (std::size_t i = 0; i < kills; ++i) {
    // Endless, and cut off by the kill or by us.
    simulator guest{{.socket = home.socket_of("c1"), .frames = 0}};
    const auto wanted = last_segment(home) + 1 + random() % 4;
    CAF_REQUIRE(holds_within(test_timeout, [&] { return last_segment(home) >= wanted; }));
    if (const auto whom = random() % 3; whom == 0) {
      host->send(SIGKILL);
      host->wait();
      host.emplace(daemon_process::ready(home));
    } else {
      collector_node& killed = whom == 1 ? first : second;
      killed.daemon().send(SIGKILL);
      killed.daemon().wait();
      killed.start();
      guest.stop();
    }
  }
  CAF_CHECK_EQUAL(host->stop(), 0);
  CAF_CHECK_EQUAL(difference(home, {&first, &second}), "");
}

CAF_TEST(a collector that does not answer is left for the next one) {
  collector_node first{certificates, "collector-1"};
  collector_node second{certificates, "collector-2"};
  const daemon_home home{host_settings({&first, &second})};
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  first.daemon().freeze();
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  host.wait_for_line("collector=" + second.address());
  CAF_CHECK_EQUAL(host.stop(), 0);
  first.daemon().thaw();
  CAF_CHECK_EQUAL(difference(home, {&first, &second}), "");
}

CAF_TEST(a host that falls silent is reported once and so is its return) {
  collector_node collector{certificates, "collector-1", "1s"};
  const daemon_home home{host_settings({&collector})};
  auto host = daemon_process::ready(home);
  collector.daemon().wait_for_line("host_connected");
  host.freeze();
  collector.daemon().wait_for_line("host_silenced host=" + host_name);
  host.thaw();
  collector.daemon().wait_for_line("host_resumed host=" + host_name);
  CAF_CHECK_EQUAL(count_lines(collector.daemon().err(), "host_silenced"), 1u);
  CAF_CHECK_EQUAL(host.stop(), 0);
}

CAF_TEST(a reload with a broken certificate is refused and changes nothing) {
  collector_node collector{certificates, "collector-1"};
  const daemon_home home{host_settings({&collector})};
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  daemon_settings broken = host_settings({&collector});
  broken.tables.replace(0, broken.tables.find("[forward]"), certificates.tls_table("absent"));
  home.configure(broken);
  host.send(SIGHUP);
  CAF_CHECK_NOT_EQUAL(host.wait_for_line("reload_refused").find("absent.pem"), std::string::npos);
  home.configure(host_settings({&collector}));
  host.reload();
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(difference(home, {&collector}), "");
}

CAF_TEST(over loopback nodes may do without certificates) {
  const std::string plain = "[tls]\nplain_loopback = true\n";
  collector_node collector{plain};
  daemon_settings settings = host_settings({&collector});
  settings.tables.replace(0, settings.tables.find("[forward]"), plain);
  const daemon_home home{settings};
  auto host = daemon_process::ready(home);
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(difference(home, {&collector}), "");
  CAF_MESSAGE("and nowhere else");
  settings.tables = plain + "[forward]\ncollectors = ['192.0.2.1:7440']\n";
  const daemon_home elsewhere{settings};
  auto away = daemon_process::ready(elsewhere);
  CAF_CHECK_NOT_EQUAL(away.wait_for_line("collector_lost").find("loopback addresses alone"), std::string::npos);
  CAF_CHECK_EQUAL(away.stop(), 0);
}

CAF_TEST(a certificate of another host refuses the start) {
  collector_node collector{certificates, "collector-1"};
  certificates.add_host("host-x");
  daemon_settings wrong = host_settings({&collector});
  wrong.tables.replace(0, wrong.tables.find("[forward]"), certificates.tls_table("host-x"));
  const daemon_home home{wrong};
  daemon_process host{home};
  CAF_CHECK_NOT_EQUAL(host.wait(), 0);
  CAF_CHECK_EQUAL(count_lines(host.err(), "is for host-x, and host_id is " + host_name), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
