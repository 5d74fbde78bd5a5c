// A real daemon, and what an administrator has it read of a cell: a program of theirs, and a Firecracker that is asked
// to flush its metrics.
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/files.hpp"
#include "tests/support/firecracker_api_stand_in.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE configured_probes
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using nlohmann::json;

namespace {

/// Long enough for a program to start on a busy machine.
const std::string fast_probes = "[probes]\nperiod = '1s'\ntimeout = '800ms'\n";

/// A cell of the configuration file, with further lines.
std::string cell(const temporary_directory& at, const std::string& id, const std::string& lines) {
  return "[[cell]]\nid = '" + id + "'\nrun_id = 'run'\nvsock_uds_base = '" + at.path().native() + "/" + id +
         "'\nspec_signature_hash = 's'\n" + lines + "\n";
}

std::string program(const temporary_directory& at, const std::string& name, const std::string& text) {
  const std::filesystem::path path = at / name;
  write_file(path, "#!/bin/sh\n" + text + "\n");
  if (::chmod(path.c_str(), 0700) != 0) throw std::runtime_error{"chmod " + path.native()};
  return path.native();
}

/// The last of this probe's readings of a cell, as the API has it.
json reading_of(controlled_daemon& at, const std::string& id, const std::string& probe) {
  const auto answer = json::parse(at.client().get("/cells/" + id).body);
  for (const json& each : answer.at("readings")) {
    if (each.at("probe") == probe) return each;
  }
  return json::object();
}

}  // namespace

CAF_TEST(a_program_of_the_administrators_is_a_probe_and_one_that_misbehaves_costs_its_own_readings) {
  const temporary_directory dir;
  const std::string pid_of_hung = dir / "pid";
  const std::string look = program(dir, "look", R"(echo "{\"cell\":\"$1\",\"home\":\"$HOME\"}")");
  const std::string hung = program(dir, "hung", "echo $$ >>" + pid_of_hung + "; exec sleep 600");
  const std::string endless = program(dir, "endless", "while :; do echo '{}{}{}{}{}{}{}{}{}{}{}{}'; done");
  const std::string failing = program(dir, "failing", "echo '{}'; exit 3");
  controlled_daemon at{{.tables = fast_probes + cell(dir, "look", "exec_probe = ['" + look + "', 'it; $(id)']") +
                                  cell(dir, "hung", "exec_probe = ['" + hung + "']") +
                                  cell(dir, "endless", "exec_probe = ['" + endless + "']") +
                                  cell(dir, "failing", "exec_probe = ['" + failing + "']")}};
  const auto failure = [&](const std::string& id) { return reading_of(at, id, "host.exec").value("failing", json()); };
  CAF_CHECK(holds_within(test_timeout, [&] { return failure("hung") == "timed_out"; }));
  CAF_CHECK(holds_within(test_timeout, [&] { return failure("endless") == "malformed_source"; }));
  CAF_CHECK(holds_within(test_timeout, [&] { return failure("failing") == "io"; }));
  // Beside them it goes on to be read.
  const auto evidence = at.home().evidence_dir();
  const auto before = count_in_log(evidence, "host.probe.v1.exec");
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(evidence, "host.probe.v1.exec") >= before + 3; }));
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
  for (const char* id : {"hung", "endless", "failing"}) {
    const std::string reported = " probe_failed cell=" + std::string{id} + " ";
    CAF_CHECK_GREATER(count_lines(at.daemon().err(), reported), 0u);
    CAF_CHECK(events_of(read_events(evidence), id, name_of(event_type::probed_exec)).empty());
  }
  const auto readings = events_of(read_events(evidence), "look", name_of(event_type::probed_exec));
  CAF_REQUIRE(!readings.empty());
  const json reading = json::parse(readings.front().line).at("data").at("reading");
  // Its argument is no shell's, and nothing of the daemon's environment is its.
  CAF_CHECK_EQUAL(reading.at("output").dump(), json({{"cell", "it; $(id)"}, {"home", ""}}).dump());
  CAF_CHECK_EQUAL(reading.at("inputs").at("program").get<std::string>(), look);
  std::istringstream hung_ones{content_of(pid_of_hung)};
  for (std::string pid; hung_ones >> pid;) CAF_CHECK(!std::filesystem::exists("/proc/" + pid));
}

CAF_TEST(a_firecracker_is_asked_to_flush_before_its_metrics_are_read) {
  const temporary_directory dir;
  const std::filesystem::path root = dir / "root";
  std::filesystem::create_directories(root / "run");
  write_file(root / "metrics", "");
  firecracker_api_stand_in vmm{root / "run/api", firecracker_api_stand_in::done,
                               [&] { add_to_file(root / "metrics", "{\"net\":{\"rx_packets_count\":2}}\n"); }};
  controlled_daemon at{{.tables = fast_probes}};
  json body = at.body_of("flushed");
  body["fc_metrics"] = (root / "metrics").native();
  body["fc_api_socket"] = (root / "run/api").native();
  CAF_REQUIRE_EQUAL(at.client().ask("PUT", "/cells/flushed", body.dump()).status, 201);
  body["fc_api_socket"] = "api";
  CAF_CHECK_EQUAL(at.client().ask("PUT", "/cells/another", body.dump()).status, 400);
  const auto evidence = at.home().evidence_dir();
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(evidence, "host.probe.v1.fc_metrics") >= 3; }));
  // A VMM that is gone, or one that refuses, is an error once nothing is written any more.
  vmm.end();
  CAF_CHECK(holds_within(
      test_timeout, [&] { return reading_of(at, "flushed", "host.fc_metrics").value("failing", json()) == "io"; }));
  CAF_CHECK_EQUAL(at.daemon().stop(), 0);
  const auto readings = events_of(read_events(evidence), "flushed", name_of(event_type::probed_fc_metrics));
  CAF_REQUIRE_GREATER(readings.size(), 2u);
  const json output = json::parse(readings.back().line).at("data").at("reading").at("output");
  const auto documents = count_in(output, "documents");
  CAF_CHECK_GREATER(documents, 2u);
  CAF_CHECK_EQUAL(count_in(output.at("totals"), "net.rx_packets_count"), 2 * documents);
  CAF_CHECK_GREATER(count_lines(at.daemon().err(), " probe_failed cell=flushed "), 0u);
}
