// Real guests: a kernel under QEMU, whose telemetry port is the cell's socket and whose network is a tap. What the host
// says of them is held against what really happened, and against what `ip` and `nft` say.
// ctest: TIMEOUT 240 PROCESSORS 2
#include <signal.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/guest_sim/frame_writer.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/virtual_machine.hpp"

#define CAF_SUITE real_guest
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A guest of software emulation boots in seconds; beside a build in many.
constexpr auto guest_timeout = 120s;
/// How long agents may be silent. A guest that takes longer to boot has had its one silence by then.
constexpr const char* boots_within = "15s";

std::vector<std::uint8_t> frame_of(std::string_view source, std::uint32_t pid) {
  guest_sim::declaration declared;
  declared.source = source;
  declared.pid = pid;
  declared.comm = "guest";
  declared.monotonic_ns = 1;
  guest_sim::frame_writer writer;
  writer.start();
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

/// An agent of a line: `declare NAME` writes a frame.
constexpr std::string_view agent = R"(
exec 3>/dev/vport0p1
declare() { cat "/scenario/$1" >&3; }
)";
/// `attempt` tries to connect the host, where nobody listens.
constexpr std::string_view attempting = R"(
ip link set eth0 up
ip addr add 10.98.0.2/24 dev eth0
attempt() { nc -w 1 10.98.0.1 9 </dev/null >/dev/null 2>&1; }
)";

/// A host that looks at a guest by all that it has: its VMM, its interface, its counters.
struct fixture {
  fixture() {
    if (!network) return;
    // In the guest's direction alone: what comes out of the tap.
    network.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    is_ready = network.run("ip addr add 10.98.0.1/24 dev cfc-tap") && network.run("ip link set cfc-tap up") &&
               network.run("nft add table inet cell") && network.run("nft add counter inet cell syn") &&
               network.run("nft 'add chain inet cell in { type filter hook input priority 0; }'") &&
               network.run(
                   "nft 'add rule inet cell in iifname cfc-tap tcp flags & (fin|syn|rst|ack) == syn "
                   "counter name syn'");
  }

  /// Says why, if nothing can be tested here.
  bool is_skipped() {
    if (const auto missing = virtual_machine::missing()) {
      CAF_MESSAGE("skipped: " << *missing);
      return true;
    }
    if (!is_ready) CAF_MESSAGE("skipped: no network namespace or no nftables can be had here");
    return !is_ready;
  }

  void admit(const std::string& cell, const std::string& keepalive_window) {
    json body = host->body_of(cell);
    body["probes"] = {"process"};
    body["keepalive_window"] = keepalive_window;
    put(cell, body);
  }
  void admit_with_network(const std::string& cell, const std::string& keepalive_window) {
    json body = host->body_of(cell);
    body["probes"] = {"process"};
    body["tap"] = "cfc-tap";
    body["network_namespace"] = network.path();
    body["nft_table"] = "inet cell";
    body["connection_counter"] = "syn";
    body["keepalive_window"] = keepalive_window;
    put(cell, body);
  }
  void put(const std::string& cell, const json& body) {
    if (host->client().ask("PUT", "/cells/" + cell, body.dump()).status != 201) throw std::runtime_error{"PUT"};
  }

  virtual_machine boot(const std::string& cell, const std::string& does) const { return boot(cell, does, {}, {}); }
  virtual_machine boot_with_network(const std::string& cell, const std::string& does) const {
    return boot(cell, std::string{attempting} + does, "cfc-tap", network.path());
  }
  virtual_machine boot(const std::string& cell, const std::string& does, const std::string& tap,
                       const std::string& network_namespace) const {
    return virtual_machine{{.telemetry_socket = host->base_of(cell) + "_9001",
                            .tap = tap,
                            .network_namespace = network_namespace,
                            .script = std::string{agent} + does,
                            .files = {{"heartbeat", frame_of("agent.heartbeat", 1)},
                                      {"spawn", frame_of("process.spawned", 8)},
                                      {"connect", frame_of("net.connect_attempted", 7)},
                                      {"end", frame_of("process.exited", 1)}}}};
  }

  std::size_t logged(std::string_view part) const { return count_in_log(host->home().evidence_dir(), part); }
  bool comes(std::string_view part, std::size_t times = 1) const {
    return holds_within(guest_timeout, [&] { return logged(part) >= times; });
  }

  std::vector<json> data_of(const std::string& cell, event_type type) const {
    std::vector<json> all;
    for (const event& each : events_of(read_events(host->home().evidence_dir()), cell, name_of(type))) {
      all.push_back(json::parse(each.line).at("data"));
    }
    return all;
  }
  json last_output(const std::string& cell, event_type type) const {
    const auto all = data_of(cell, type);
    if (all.empty()) throw std::runtime_error{"no reading of " + cell};
    return all.back().at("reading").at("output");
  }
  json attempts(const std::string& cell) const {
    const json output = last_output(cell, event_type::probed_nftables);
    for (const json& row : output.at("rows")) {
      if (row.value("name", "") == "syn") return row.at("packets");
    }
    return nullptr;
  }
  std::vector<std::string> contradictions(const std::string& cell) const {
    std::vector<std::string> kinds;
    for (const json& each : data_of(cell, event_type::undeclared_activity)) kinds.push_back(each.at("kind"));
    for ([[maybe_unused]] const json& each : data_of(cell, event_type::declaration_unwitnessed)) {
      kinds.emplace_back("declaration_unwitnessed");
    }
    return kinds;
  }
  void wait_for_silence(const std::string& cell) {
    host->daemon().wait_for_line(" agent_silenced cell=" + cell + " ", 1, guest_timeout);
  }
  /// The line may be reported before it is in the log.
  json seen_at_silence(const std::string& cell) const {
    holds_within(test_timeout, [&] { return !data_of(cell, event_type::agent_silenced).empty(); });
    return data_of(cell, event_type::agent_silenced).at(0).at("hostSaw");
  }
  bool witness_agrees() const {
    process witness{{program_path("cellos-telemetryctl"), {"witness", host->home().evidence_dir().string()}}};
    return witness.wait() == 0;
  }

  const network_test_namespace network{};
  bool is_ready = false;
  std::optional<controlled_daemon> host{
      daemon_settings{.tables = "[probes]\nperiod = '500ms'\ntimeout = '400ms'\nwitness_window = '2s'\n"}};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(real_guest_tests, fixture)

CAF_TEST(an_honest_guest_is_read_as_the_kernel_has_it_and_nothing_contradicts_it) {
  if (is_skipped()) return;
  admit_with_network("honest", "1h");
  virtual_machine vm = boot_with_network("honest", R"(
for i in $(seq 20); do declare connect; attempt; usleep 100000; done
echo "guest: quiet"
until [ -e /tmp/never ]; do declare heartbeat; usleep 500000; done
)");
  vm.wait_for_line("guest: quiet", 1, guest_timeout);
  CAF_CHECK(comes("net_connect_attempted", 20));
  // Two readings behind the last of its traffic are alike.
  const auto seen = data_of("honest", event_type::probed_tap_link).size();
  CAF_REQUIRE(
      holds_within(guest_timeout, [&] { return data_of("honest", event_type::probed_tap_link).size() >= seen + 3; }));
  const json link = last_output("honest", event_type::probed_tap_link);
  const json by_ip = json::parse(network.run("ip -json -stats link show dev cfc-tap").value()).at(0);
  CAF_CHECK_EQUAL(link.at("rxPackets"),
                  std::to_string(by_ip.at("stats64").at("rx").at("packets").get<std::uint64_t>()));
  CAF_CHECK_EQUAL(link.at("rxBytes"), std::to_string(by_ip.at("stats64").at("rx").at("bytes").get<std::uint64_t>()));
  CAF_CHECK_EQUAL(link.at("txBytes"), std::to_string(by_ip.at("stats64").at("tx").at("bytes").get<std::uint64_t>()));
  CAF_CHECK_EQUAL(link.at("operstate"), "up");
  const json by_nft = json::parse(network.run("nft --json list counter inet cell syn").value());
  const auto counted = by_nft.at("nftables").at(1).at("counter").at("packets").get<std::uint64_t>();
  CAF_CHECK(counted >= 20);
  CAF_CHECK_EQUAL(attempts("honest"), std::to_string(counted));
  const json vmm = last_output("honest", event_type::probed_process);
  CAF_CHECK(vmm.at("alive") == true);
  CAF_CHECK_EQUAL(host->daemon().stop(), 0);
  CAF_CHECK(contradictions("honest").empty());
  CAF_CHECK(witness_agrees());
}

CAF_TEST(guests_that_end_in_three_ways_are_distinguished) {
  if (is_skipped()) return;
  for (const char* cell : {"orderly", "silent"}) admit(cell, boots_within);
  admit_with_network("liar", boots_within);
  virtual_machine orderly = boot("orderly", R"(
declare heartbeat
echo "guest: up"
declare end
sleep 1
poweroff -f
)");
  virtual_machine silent = boot("silent", R"sh(
declare heartbeat
echo "guest: up"
end=$(($(cut -d. -f1 /proc/uptime) + 25))
while [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ]; do usleep 1000; done
echo c >/proc/sysrq-trigger
)sh");
  virtual_machine liar = boot_with_network("liar", R"(
declare spawn
echo "guest: up"
until [ -e /tmp/never ]; do declare spawn; attempt; usleep 100000; done
)");
  for (const virtual_machine* each : {&orderly, &silent, &liar}) each->wait_for_line("guest: up", 1, guest_timeout);
  if (count_lines(host->daemon().err(), " agent_silenced ") != 0) {
    CAF_MESSAGE("skipped: to boot three guests takes longer here than an agent may be silent");
    return;
  }

  CAF_CHECK(comes("\"kind\":\"undeclared_network\""));
  wait_for_silence("silent");
  const json of_silent = seen_at_silence("silent");
  CAF_CHECK_EQUAL(of_silent.value("vmm", ""), "alive");
  CAF_CHECK(of_silent.at("connected") == true);
  CAF_CHECK(of_silent.at("cpuMoving") == true);

  liar.send(SIGKILL);
  // Nobody collects what they ended with before it was read. The panic restarts its guest, which is its VMM's end here.
  CAF_CHECK(comes("\"alive\":false", 3));
  wait_for_silence("orderly");
  wait_for_silence("liar");
  CAF_CHECK(comes("\"kind\":\"undeclared_exit\"", 2));
  CAF_CHECK_EQUAL(liar.wait(), 128 + SIGKILL);
  CAF_CHECK_EQUAL(orderly.wait(), 0);
  CAF_CHECK_EQUAL(silent.wait(), 0);
  CAF_CHECK_EQUAL(host->daemon().stop(), 0);

  const json of_liar = seen_at_silence("liar");
  CAF_CHECK_EQUAL(of_liar.value("vmm", ""), "signalled");
  CAF_CHECK(of_liar.at("vmmSignal") == SIGKILL);
  CAF_CHECK(of_liar.at("connected") == false);
  const json of_orderly = seen_at_silence("orderly");
  CAF_CHECK_EQUAL(of_orderly.value("vmm", ""), "exited");
  CAF_CHECK(of_orderly.at("vmmStatus") == 0);
  CAF_CHECK(of_orderly.at("connected") == false);
  // One said that it would end, one went without a word, and one had something to hide as well.
  CAF_CHECK(contradictions("orderly").empty());
  CAF_CHECK((contradictions("silent") == std::vector<std::string>{"undeclared_exit"}));
  CAF_CHECK(contradictions("liar").back() == "undeclared_exit");
  for (const json& each : data_of("liar", event_type::undeclared_activity)) CAF_CHECK(each.at("confidence") == "firm");
  CAF_CHECK(witness_agrees());
}

CAF_TEST_FIXTURE_SCOPE_END()
