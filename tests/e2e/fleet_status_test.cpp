#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/api_contract.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/simulator.hpp"

// ctest: TIMEOUT 240
#define CAF_SUITE fleet_status
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using json = nlohmann::json;

namespace {

const std::string host_name{daemon_home::host_id};
const std::string of_forwarder = "{forwarder=\"collectors\"}";

/// A host that forwards to one collector; what both say of it.
struct fleet {
  fleet() {
    certificates.add_host(host_name);
    certificates.add_collector("collector-1");
    collector.emplace(certificates, "collector-1", "3s");
  }

  void start_host(const std::string& evidence = "fsync = '10ms'\n", std::vector<cell_settings> cells = {{.id = "c1"}}) {
    home.configure({.cells = std::move(cells),
                    .evidence = evidence,
                    .tables = home.control_table() + certificates.tls_table(host_name) + "[forward]\ncollectors = ['" +
                              collector->address() + "']\n"});
    host.emplace(daemon_process::ready(home));
    host->wait_for_line("collector_reached");
  }

  static double metric_at(const std::string& socket, const std::string& series) {
    return metric(http_client{socket}.get("/metrics").body, "cellos_telemetry_" + series);
  }
  double at_host(const std::string& series) const { return metric_at(home.control_socket(), series); }
  double at_collector(const std::string& series) const { return metric_at(collector->control_socket(), series); }
  /// Until it is so at the host; fails with what it is.
  void await_at_host(const std::string& series, double wanted) const {
    CAF_MESSAGE(series << " becomes " << wanted);
    CAF_CHECK(holds_within(test_timeout, [&] { return at_host(series) == wanted; }));
  }
  json host_at_collector(const std::string& query = "") {
    const auto answer = http_client{collector->control_socket()}.get("/hosts" + query);
    CAF_CHECK_EQUAL(contract.complaint_about("GET", "/hosts", answer), "");
    return answer.json().at("hosts").at(0);
  }
  static std::string ctl(const std::string& socket, std::vector<std::string> words) {
    words.insert(words.end(), {"--socket", socket});
    process child{{program_path("cellos-telemetryctl"), words, {}}};
    CAF_CHECK_EQUAL(child.wait(), 0);
    return child.out();
  }

  certificate_directory certificates;
  std::optional<collector_node> collector;
  daemon_home home;
  std::optional<daemon_process> host;
  api_contract contract;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

CAF_TEST_FIXTURE_SCOPE(fleet_status_tests, fleet)

CAF_TEST(a host and its collector show the same of each other) {
  start_host();
  simulate({.socket = home.socket_of("c1"), .frames = 500});
  await_at_host("forwarder_lag_events" + of_forwarder, 0);
  CAF_CHECK(
      holds_within(test_timeout, [&] { return at_host("forwarder_delivered_events_total" + of_forwarder) > 500; }));
  CAF_CHECK_EQUAL(at_host("forwarder_state{forwarder=\"collectors\",state=\"delivering\"}"), 1);
  CAF_CHECK_EQUAL(
      at_host("forwarder_destination{forwarder=\"collectors\",destination=\"" + collector->address() + "\"}"), 1);
  CAF_CHECK(at_host("forwarder_sent_bytes_total" + of_forwarder) > 0);
  CAF_CHECK_EQUAL(at_host("node_connections_accepted_total{role=\"host\"}"), 1);
  CAF_CHECK_EQUAL(at_collector("node_connections_open{role=\"collector\"}"), 1);
  CAF_CHECK_EQUAL(at_collector("hosts{state=\"connected\"}"), 1);
  CAF_CHECK_EQUAL(at_collector("collector_received_events_total"),
                  at_host("forwarder_delivered_events_total" + of_forwarder));
  CAF_CHECK(at_collector("collector_commit_seconds_count") > 0);
  const auto now = std::chrono::system_clock::now().time_since_epoch() / 1s;
  const std::string text = http_client{home.control_socket()}.get("/metrics").body;
  const auto expiry = text.find("certificate_expiry_timestamp_seconds{role=\"host\",file=\"");
  CAF_REQUIRE_NOT_EQUAL(expiry, std::string::npos);
  CAF_CHECK(std::stod(text.substr(text.find("} ", expiry) + 2)) > static_cast<double>(now));
  CAF_MESSAGE("what the host says of its cells comes with its next sign of life");
  CAF_CHECK(holds_within(test_timeout, [&] { return host_at_collector().at("cells") == 1; }));
  const json seen = host_at_collector("?order=attention&limit=5");
  CAF_CHECK_EQUAL(seen.at("host_id").get<std::string>(), host_name);
  CAF_CHECK_EQUAL(seen.at("state").get<std::string>(), "connected");
  CAF_CHECK_EQUAL(seen.at("silenced_cells"), 0);
  CAF_CHECK_EQUAL(seen.at("forks"), 0);
  CAF_CHECK_EQUAL(seen.at("lag").at("bytes"), 0);
  CAF_CHECK(
      has(ctl(home.control_socket(), {"status"}), "collectors: delivering to " + collector->address() + ", 0 events"));
  const std::string table = ctl(collector->control_socket(), {"hosts"});
  CAF_CHECK(has(table, host_name + "  connected"));
  CAF_CHECK(has(table, "0 of 1"));
  CAF_CHECK(has(table, "1 hosts: 1 connected"));
  CAF_CHECK(has(ctl(collector->control_socket(), {"status"}), "hosts     1 connected"));
  CAF_CHECK_EQUAL(json::parse(ctl(collector->control_socket(), {"hosts", "--json"})).at("host_id").get<std::string>(),
                  host_name);
}

CAF_TEST(a collector shows how many cells of a host are silenced) {
  start_host("fsync = '10ms'\n", {{.id = "c1", .keepalive_window = "200ms"}, {.id = "c2"}});
  raw_guest{home.socket_of("c1")}.write_frames(1);
  CAF_CHECK(holds_within(test_timeout, [&] { return host_at_collector().at("silenced_cells") == 1; }));
  CAF_CHECK(host_at_collector().at("cells") == 2);
  CAF_CHECK_EQUAL(at_collector("hosts_silenced_cells"), 1);
}

CAF_TEST(a host whose collector is away shows what waits and how old it is) {
  start_host();
  CAF_CHECK_EQUAL(collector->daemon().stop(), 0);
  simulate({.socket = home.socket_of("c1"), .frames = 1000});
  CAF_CHECK(holds_within(test_timeout, [&] {
    return at_host("forwarder_lag_events" + of_forwarder) >= 1000 &&
           at_host("forwarder_lag_bytes" + of_forwarder) > 0 && at_host("forwarder_lag_seconds" + of_forwarder) > 1;
  }));
  CAF_CHECK_EQUAL(at_host("forwarder_state{forwarder=\"collectors\",state=\"unreached\"}"), 1);
  CAF_CHECK_EQUAL(at_host("node_connections_closed_total{role=\"host\",reason=\"lost\"}"), 1);
  collector->start();
  await_at_host("forwarder_lag_bytes" + of_forwarder, 0);
  await_at_host("forwarder_lag_seconds" + of_forwarder, 0);
}

CAF_TEST(a host that is denied on reload loses its connection and is refused from then on) {
  start_host();
  collector->change("denied_hosts = ['" + host_name + "']\n");
  host->wait_for_line("collector_lost");
  CAF_CHECK(holds_within(test_timeout, [&] {
    return at_collector("node_connections_refused_total{role=\"collector\",reason=\"host_denied\"}") >= 1;
  }));
  CAF_CHECK_EQUAL(at_collector("node_connections_closed_total{role=\"collector\",reason=\"host_denied\"}"), 1);
  CAF_CHECK_EQUAL(at_collector("node_connections_open{role=\"collector\"}"), 0);
  collector->change("");
  await_at_host("forwarder_state{forwarder=\"collectors\",state=\"delivering\"}", 1);
}

CAF_TEST(lines that retention took before they were delivered are counted) {
  start_host("fsync = '10ms'\nmax_bytes = '256KiB'\nsegment_bytes = '16KiB'\ncell_share = 'off'\n");
  // A copy that has nothing begins where the log does.
  CAF_REQUIRE(
      holds_within(test_timeout, [&] { return at_host("forwarder_delivered_events_total" + of_forwarder) > 0; }));
  CAF_CHECK_EQUAL(collector->daemon().stop(), 0);
  simulate({.socket = home.socket_of("c1"), .frames = 3000});
  await_at_host("frames_received_total", 3000);
  await_at_host("frames_in_flight", 0);
  CAF_CHECK_EQUAL(at_host("forwarder_gaps_total" + of_forwarder), 0);
  collector->start();
  await_at_host("forwarder_gaps_total" + of_forwarder, 1);
  CAF_CHECK_EQUAL(count_lines(host->err(), "lines_undelivered"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
