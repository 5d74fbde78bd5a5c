// A real daemon, real processes in the place of VMMs, and what the kernel says of them.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/files.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE host_probes
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string fast_probes = "[probes]\nperiod = '200ms'\ntimeout = '100ms'\nwitness_window = '1s'\n";

cell_settings watched(std::string id) { return {.id = std::move(id), .keepalive_window = "1s"}; }

json data_of(const event& each) { return json::parse(each.line).at("data"); }

/// Of the one silence that the cell has.
json silence_of(const daemon_home& home, const std::string& cell) {
  const auto found = events_of(read_events(home.evidence_dir()), cell, name_of(event_type::agent_silenced));
  if (found.size() != 1) throw std::runtime_error{std::to_string(found.size()) + " silences of " + cell};
  return data_of(found.front()).at("hostSaw");
}

/// A guest in a process of its own, which stays connected after its frames.
simulator start_vmm(const daemon_home& home, const std::string& cell) {
  return simulator{{.socket = home.socket_of(cell),
                    .frames = 6,
                    .scenario = "silent-after-N",
                    .further = {"--silent-after", "5", "--hold", "10m"}}};
}

process telemetryctl(std::vector<std::string> arguments) {
  return process{{program_path("cellos-telemetryctl"), std::move(arguments)}};
}

}  // namespace

CAF_TEST(a_silence_says_whether_the_vmm_lives_or_how_it_ended) {
  const daemon_home home{{.cells = {watched("lives"), watched("killed"), watched("never")}, .tables = fast_probes}};
  auto daemon = daemon_process::ready(home);
  simulator lives = start_vmm(home, "lives");
  simulator killed = start_vmm(home, "killed");
  CAF_REQUIRE(
      holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), R"("guestMonotonicNs":"5")") == 2; }));
  killed.send(SIGKILL);
  (void)killed.wait();
  for (const char* cell : {"lives", "killed", "never"}) {
    daemon.wait_for_line(std::string{" agent_silenced cell="} + cell + " ");
  }
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const json seen = silence_of(home, "lives");
  CAF_CHECK_EQUAL(seen.value("vmm", ""), "alive");
  CAF_CHECK(seen.at("connected") == true);
  CAF_CHECK(seen.at("cpuMoving") == false);
  const json gone = silence_of(home, "killed");
  CAF_CHECK(gone.value("vmm", "") == "signalled" || gone.value("vmm", "") == "ended");
  CAF_CHECK(gone.at("connected") == false);
  const json nobody = silence_of(home, "never");
  CAF_CHECK(!nobody.contains("vmm"));
  CAF_CHECK(nobody.at("connected") == false);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " probe_failed "), 0u);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "host.probe.v1."), 0u);
}

CAF_TEST(readings_are_in_the_run_s_chain_where_they_are_asked_for) {
  controlled_daemon at{{.tables = fast_probes}};
  json body = at.body_of("asked");
  body["probes"] = {"process"};
  CAF_REQUIRE_EQUAL(at.client().ask("PUT", "/cells/asked", body.dump()).status, 201);
  CAF_CHECK_EQUAL(at.client().ask("PUT", "/cells/asked", body.dump()).status, 200);
  CAF_REQUIRE_EQUAL(at.put("unasked").status, 201);
  raw_guest asked{at.base_of("asked") + "_9001"};
  raw_guest unasked{at.base_of("unasked") + "_9001"};
  asked.write_frames(1);
  unasked.write_frames(1);
  const auto evidence = at.home().evidence_dir();
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(evidence, "host.probe.v1.process") >= 3; }));
  const auto cell = json::parse(at.client().get("/cells/asked").body);
  CAF_CHECK(cell.at("host_saw").at("vmm") == "alive");
  CAF_CHECK(cell.at("host_saw").at("connected") == true);
  const json& reading = cell.at("readings").at(0);
  CAF_CHECK(reading.at("probe") == "host.process");
  CAF_CHECK(reading.at("failing").is_null());
  CAF_CHECK(reading.at("age_seconds").get<double>() < 10);
  CAF_CHECK(reading.at("inputs").at("pid") == ::getpid());
  CAF_CHECK(reading.at("output").at("alive") == true);
  CAF_CHECK(cell.at("contradictions") == (json{{"found", 0}, {"last", json::array()}}));
  const std::string measured = at.metrics();
  CAF_CHECK(measured.find("cellos_telemetry_probe_readings_total{probe=\"process\"} ") != std::string::npos);
  CAF_CHECK(measured.find("cellos_telemetry_vmms{state=\"alive\"} 2") != std::string::npos);
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
  for (const event& each : read_events(evidence)) {
    if (each.type != name_of(event_type::probed_process)) continue;
    const json data = data_of(each);
    CAF_CHECK(data.at("cellId") == "asked");
    CAF_CHECK(data.at("reading").at("inputs").at("pid") == ::getpid());
    CAF_CHECK(data.at("hostReceivedAt") == each.time);
  }
  process verify = telemetryctl({"verify", "--no-signatures", evidence.string()});
  CAF_CHECK_EQUAL(verify.wait(), 0);
}

CAF_TEST(a_vmm_that_ends_unsaid_contradicts_its_run_and_the_log_alone_says_so) {
  const daemon_home home{{.cells = {watched("gone")}, .tables = fast_probes + "record = ['process']\n"}};
  auto daemon = daemon_process::ready(home);
  simulator vmm = start_vmm(home, "gone");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), R"("alive":true)") > 0; }));
  vmm.send(SIGKILL);
  (void)vmm.wait();
  daemon.wait_for_line(" contradiction_found cell=gone ");
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  const auto found = events_of(read_events(home.evidence_dir()), "gone", name_of(event_type::undeclared_activity));
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(data_of(found.front()).at("kind") == "undeclared_exit");
  CAF_CHECK(data_of(found.front()).at("confidence") == "firm");
  process witness = telemetryctl({"witness", "--json", home.evidence_dir().string()});
  CAF_CHECK_EQUAL(witness.wait(), 0);
  const json said = json::parse(witness.out());
  CAF_CHECK(said.at("differs") == false);
  CAF_CHECK_EQUAL(said.at("runs").at(0).at("found").size(), 1u);
}

CAF_TEST(a_group_that_the_configuration_names_is_read_beneath_its_root_and_how_it_fails_is_shown) {
  const temporary_directory groups;
  controlled_daemon at{{.tables = fast_probes + "cgroup_root = '" + groups.path().native() + "'\n"}};
  json body = at.body_of("grouped");
  body["cgroup"] = "/fc/grouped";
  CAF_REQUIRE_EQUAL(at.client().ask("PUT", "/cells/grouped", body.dump()).status, 201);
  const auto reading = [&] {
    const auto all = json::parse(at.client().get("/cells/grouped").body).at("readings");
    return all.empty() ? json::object() : all.at(0);
  };
  CAF_CHECK(holds_within(test_timeout, [&] { return reading().value("failing", json()) == "io"; }));
  CAF_CHECK(reading().at("cause").get<std::string>().find("fc/grouped") != std::string::npos);
  CAF_CHECK(reading().at("output").is_null());
  std::filesystem::create_directories(groups / "pids/fc/grouped");
  write_file(groups / "pids/fc/grouped/pids.current", "3\n");
  CAF_CHECK(holds_within(test_timeout, [&] { return reading().at("failing").is_null(); }));
  CAF_CHECK(reading().at("output").at("pids").at("pids.current") == "3");
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
}

CAF_TEST(what_is_background_here_is_configured_and_the_log_alone_says_the_same) {
  const network_test_namespace network;
  if (!network) {
    CAF_MESSAGE("skipped: no network namespace can be made here");
    return;
  }
  controlled_daemon at{{.tables = fast_probes + "packets_threshold = 5\n"}};
  for (const char* id : {"quiet", "strict"}) {
    json body = at.body_of(id);
    body["tap"] = "cfc-veth";
    body["network_namespace"] = network.path();
    body["keepalive_window"] = "1s";
    if (id == std::string{"quiet"}) body["packets_background"] = 1'000'000;
    CAF_REQUIRE_EQUAL(at.client().ask("PUT", std::string{"/cells/"} + id, body.dump()).status, 201);
  }
  raw_guest quiet{at.base_of("quiet") + "_9001"};
  raw_guest strict{at.base_of("strict") + "_9001"};
  const bool found = holds_within(60s, [&] {
    quiet.write_frame("agent.heartbeat", "quiet");
    strict.write_frame("agent.heartbeat", "strict");
    network.run_at_peer("bash -c 'for i in {1..150}; do echo x >/dev/udp/10.99.0.1/9; done' 2>/dev/null");
    return count_lines(at.daemon().err(), " contradiction_found cell=strict ") > 1;
  });
  CAF_CHECK(found);
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
  CAF_CHECK_EQUAL(count_lines(at.daemon().err(), " contradiction_found cell=quiet "), 0u);
  const auto evidence = at.home().evidence_dir();
  CAF_CHECK_EQUAL(count_in_log(evidence, R"("witnessTerms":{"packetsBackground":"1000000","packetsThreshold":"5"})"),
                  1u);
  process witness = telemetryctl({"witness", "--json", evidence.string()});
  CAF_CHECK_EQUAL(witness.wait(), 0);
  CAF_CHECK(json::parse(witness.out()).at("differs") == false);
}

CAF_TEST(traffic_that_a_cell_does_not_declare_contradicts_it) {
  const network_test_namespace network;
  if (!network) {
    CAF_MESSAGE("skipped: no network namespace can be made here");
    return;
  }
  controlled_daemon at{{.tables = fast_probes}};
  json body = at.body_of("liar");
  body["tap"] = "cfc-veth";
  body["network_namespace"] = network.path();
  body["keepalive_window"] = "1s";
  CAF_REQUIRE_EQUAL(at.client().ask("PUT", "/cells/liar", body.dump()).status, 201);
  raw_guest agent{at.base_of("liar") + "_9001"};
  const bool found = holds_within(60s, [&] {
    agent.write_frame("agent.heartbeat", "liar");
    network.run_at_peer("bash -c 'for i in {1..300}; do echo x >/dev/udp/10.99.0.1/9; done' 2>/dev/null");
    return count_lines(at.daemon().err(), " contradiction_found cell=liar ") > 0;
  });
  CAF_CHECK(found);
  const auto cell = json::parse(at.client().get("/cells/liar").body);
  CAF_CHECK_GREATER(cell.at("contradictions").at("found").get<int>(), 0);
  CAF_CHECK(cell.at("contradictions").at("last").at(0).at("kind") == "undeclared_network");
  CAF_CHECK(cell.at("contradictions").at("last").at(0).at("confidence") == "soft");
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
  const auto events = read_events(at.home().evidence_dir());
  const auto contradictions = events_of(events, "liar", name_of(event_type::undeclared_activity));
  CAF_REQUIRE(!contradictions.empty());
  CAF_CHECK(data_of(contradictions.front()).at("kind") == "undeclared_network");
  CAF_CHECK(data_of(contradictions.front()).at("confidence") == "soft");
  process witness = telemetryctl({"witness", at.home().evidence_dir().string()});
  CAF_CHECK_EQUAL(witness.wait(), 0);
}
