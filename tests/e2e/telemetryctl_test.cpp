#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/raw_guest.hpp"

#define CAF_SUITE telemetryctl
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using json = nlohmann::json;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome ctl(const controlled_daemon& host, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--socket", host.home().control_socket()});
  process child{{program_path("cellos-telemetryctl"), arguments, {}}};
  const int code = child.wait();
  return {code, child.out(), child.err()};
}

std::vector<std::string> adding(const controlled_daemon& host, const std::string& id) {
  return {"add",
          id,
          "--run-id",
          "r1",
          "--vsock-uds-base",
          host.base_of(id),
          "--spec-signature-hash",
          "sha256:x",
          "--keepalive-window",
          "10m"};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST(a_cell_is_added_listed_and_removed) {
  controlled_daemon host;
  const outcome added = ctl(host, adding(host, "a"));
  CAF_CHECK_EQUAL(added.code, 0);
  CAF_CHECK_EQUAL(added.out, "a listens at " + host.home().socket_of("a") + "\n");
  CAF_CHECK(has(ctl(host, adding(host, "a")).out, "was admitted already"));
  raw_guest guest{host.home().socket_of("a")};
  guest.write_frames(12);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 12; }));
  const outcome listed = ctl(host, {"cells"});
  CAF_CHECK(has(listed.out, "CELL"));
  CAF_CHECK(has(listed.out, "connected"));
  CAF_CHECK(has(listed.out, " 12 "));
  CAF_CHECK(has(ctl(host, {"cells", "a"}).out, "sha256:x"));
  CAF_CHECK_EQUAL(json::parse(ctl(host, {"cells", "--json"}).out)
                      .at("cells")
                      .at(0)
                      .at("totals")
                      .at("appended")
                      .get<std::uint64_t>(),
                  12u);
  const outcome removed = ctl(host, {"remove", "a"});
  CAF_CHECK_EQUAL(removed.code, 0);
  CAF_CHECK(has(removed.out, "received 12, appended 12"));
}

CAF_TEST(a_cell_is_added_with_everything_that_is_read_of_it) {
  controlled_daemon host{{.tables = "[probes]\nperiod = '200ms'\ntimeout = '100ms'\n"}};
  auto add = adding(host, "probed");
  add.insert(add.end(), {"--probes",
                         "process,cgroup",
                         "--cgroup",
                         "/fc/probed",
                         "--tap",
                         "tap0",
                         "--nft-table",
                         "inet p",
                         "--connection-counter",
                         "syn",
                         "--network-namespace",
                         "/run/netns/p",
                         "--fc-metrics",
                         "/srv/p/metrics",
                         "--fc-api-socket",
                         "/srv/p/api",
                         "--attempts-threshold",
                         "4",
                         "--packets-threshold",
                         "300",
                         "--declarations-threshold",
                         "3",
                         "--attempts-background",
                         "0",
                         "--packets-background",
                         "7"});
  CAF_CHECK_EQUAL(ctl(host, add).code, 0);
  std::ifstream file{host.home().evidence_dir() / "cells.json"};
  const json kept = json::parse(file).at("cells").at("probed");
  const json expected{
      {"probes", {"process", "cgroup"}}, {"cgroup", "/fc/probed"},        {"tap", "tap0"},
      {"nft_table", "inet p"},           {"connection_counter", "syn"},   {"network_namespace", "/run/netns/p"},
      {"fc_metrics", "/srv/p/metrics"},  {"fc_api_socket", "/srv/p/api"}, {"attempts_threshold", 4},
      {"packets_threshold", 300},        {"declarations_threshold", 3},   {"attempts_background", 0},
      {"packets_background", 7}};
  for (const auto& [name, value] : expected.items()) CAF_CHECK_EQUAL(kept.at(name).dump(), value.dump());
  // There is none of it here.
  CAF_REQUIRE(holds_within(test_timeout, [&] {
    return has(ctl(host, {"cells", "probed"}).out, "read host.cgroup, - s");
  }));
  CAF_CHECK(has(ctl(host, {"cells", "probed"}).out, "  fails: io, "));
  CAF_CHECK(has(ctl(host, {"cells", "probed"}).out, "contradictions       0\n"));

  auto none = adding(host, "unprobed");
  none.insert(none.end(), {"--probes", "none"});
  CAF_CHECK_EQUAL(ctl(host, none).code, 0);
  auto alone = adding(host, "alone");
  alone.insert(alone.end(), {"--connection-counter", "syn"});
  const outcome refused = ctl(host, alone);
  CAF_CHECK_EQUAL(refused.code, 1);
  CAF_CHECK(has(refused.err, "connection_counter names a counter of no table"));
  CAF_CHECK(has(refused.err, "write nft_table beside it"));
  auto unknown = adding(host, "alone");
  unknown.insert(unknown.end(), {"--probes", "tap"});
  CAF_CHECK(has(ctl(host, unknown).err, "\"tap\" is not one of process, cgroup"));
}

CAF_TEST(there_is_an_option_for_every_field_of_a_cell) {
  std::ifstream file{CELLOS_SOURCE_DIR "/config/openapi.json"};
  const json fields = json::parse(file).at("components").at("schemas").at("CellSpecification").at("properties");
  process help{{program_path("cellos-telemetryctl"), {"add", "--help"}, {}}};
  CAF_REQUIRE_EQUAL(help.wait(), 0);
  for (const auto& [field, described] : fields.items()) {
    std::string option = "  --" + field + " ";
    std::replace(option.begin(), option.end(), '_', '-');
    if (!has(help.out(), option)) CAF_ERROR("cellos-telemetryctl add has no option for " << field);
  }
}

CAF_TEST(a_cell_called_like_a_parent_directory_can_be_seen_and_removed) {
  controlled_daemon host;
  for (const char* id : {".", ".."}) {
    auto add = adding(host, "dots");
    add[1] = id;
    CAF_CHECK_EQUAL(ctl(host, add).code, 0);
    CAF_CHECK(has(ctl(host, {"cells", id}).out, "sha256:x"));
    CAF_CHECK_EQUAL(ctl(host, {"remove", id}).code, 0);
  }
}

CAF_TEST(what_the_daemon_refuses_is_said_in_a_sentence) {
  controlled_daemon host;
  CAF_CHECK_EQUAL(ctl(host, adding(host, "a")).code, 0);
  auto other = adding(host, "a");
  other[3] = "r2";
  const outcome conflict = ctl(host, other);
  CAF_CHECK_EQUAL(conflict.code, 1);
  CAF_CHECK(has(conflict.err, "live with another specification"));
  auto bad = adding(host, "b");
  bad[9] = "soon";
  const outcome refused = ctl(host, bad);
  CAF_CHECK_EQUAL(refused.code, 1);
  CAF_CHECK(has(refused.err, "keepalive_window"));
  CAF_CHECK(has(refused.err, "\"soon\""));
  CAF_CHECK(has(refused.err, "10s"));
  CAF_CHECK(has(ctl(host, {"remove", "nobody"}).err, "no cell nobody"));
  host.configure({.evidence = "fsync = 'never'\n", .tables = "mode = '0600'\n"});
  CAF_CHECK(has(ctl(host, {"reload"}).out, "these wait for a restart: evidence.fsync, control.mode\n"));
  host.home().write_configuration("host_id = 7\n");
  const outcome reload = ctl(host, {"reload"});
  CAF_CHECK_EQUAL(reload.code, 1);
  CAF_CHECK(has(reload.err, "d.toml:1:"));
  CAF_CHECK_EQUAL(ctl(host, {"cells", "--jsonn"}).code, 2);
}

CAF_TEST(a_command_that_there_is_not_is_named) {
  for (const auto& [command, hint] : {std::pair{"cell", "did you mean cells?"}, std::pair{"brew", "--help"}}) {
    process child{{program_path("cellos-telemetryctl"), {command}, {}}};
    CAF_CHECK_EQUAL(child.wait(), 2);
    CAF_CHECK(has(child.err(), "there is no command \"" + std::string{command} + "\""));
    CAF_CHECK(has(child.err(), hint));
  }
}

CAF_TEST(a_log_without_events_is_said_to_be_one) {
  const daemon_home home;
  process child{{program_path("cellos-telemetryctl"), {"tail", "--evidence", home / "."}, {}}};
  CAF_CHECK_EQUAL(child.wait(), 0);
  CAF_CHECK(has(child.err(), "no event is in"));
}

CAF_TEST(a_daemon_that_cannot_be_reached_is_exit_code_3_and_a_sentence) {
  const daemon_home home;
  for (const std::string command : {"cells", "hosts", "status", "top", "tail", "reload"}) {
    process child{{program_path("cellos-telemetryctl"), {command, "--socket", home.control_socket()}, {}}};
    CAF_CHECK_EQUAL(child.wait(), 3);
    CAF_CHECK(has(child.err(), "cannot be reached at \"" + home.control_socket()));
    CAF_CHECK_EQUAL(count_lines(child.err(), ""), 1u);
  }
}

CAF_TEST(a_socket_path_that_no_socket_can_have_is_named_as_such) {
  const std::string path = "/tmp/" + std::string(103, 'x');
  for (const std::string command : {"cells", "status", "top", "tail", "reload"}) {
    process child{{program_path("cellos-telemetryctl"), {command, "--socket", path}, {}}};
    CAF_CHECK_EQUAL(child.wait(), 3);
    CAF_CHECK(has(child.err(), "is 108 bytes long, and a socket path has at most 107; --socket"));
  }
}

CAF_TEST(status_and_top_show_how_it_stands) {
  controlled_daemon host{{.cells = {{.id = "a"}}}};
  raw_guest guest{host.home().socket_of("a")};
  guest.write_frames(5);
  CAF_REQUIRE(holds_within(
      test_timeout, [&] { return metric(host.metrics(), "cellos_telemetry_declarations_appended_total") == 5; }));
  const outcome status = ctl(host, {"status"});
  CAF_CHECK_EQUAL(status.code, 0);
  CAF_CHECK(has(status.out, "host host-e2e"));
  CAF_CHECK(has(status.out, "5 received, 5 appended"));
  CAF_CHECK_EQUAL(json::parse(ctl(host, {"status", "--json"}).out).at("readiness").at("ready").get<bool>(), true);
  const outcome top = ctl(host, {"top", "--once", "--interval", "0.1"});
  CAF_CHECK_EQUAL(top.code, 0);
  CAF_CHECK(has(top.out, "FRAMES/S"));
  CAF_CHECK(has(top.out, "connected"));
  CAF_CHECK(!has(top.out, "\x1b"));
  host.configure({.cells = {{.id = "a"}, {.id = "misplaced", .vsock_uds_base = "/nowhere/v.sock"}}});
  CAF_CHECK_EQUAL(ctl(host, {"reload"}).code, 0);
  const outcome not_ready = ctl(host, {"status"});
  CAF_CHECK_EQUAL(not_ready.code, 1);
  CAF_CHECK(has(not_ready.out, "cell misplaced is not bound"));
}

CAF_TEST(tail_without_a_log_follows_the_daemon) {
  controlled_daemon host{{.cells = {{.id = "a"}, {.id = "b"}}}};
  process tail{
      {program_path("cellos-telemetryctl"), {"tail", "--cell", "b", "--socket", host.home().control_socket()}, {}}};
  raw_guest a{host.home().socket_of("a")};
  raw_guest b{host.home().socket_of("b")};
  // It follows from when it is heard, which nobody reports.
  CAF_CHECK(holds_within(test_timeout, [&] {
    a.write_frame("process.spawned", "of-a");
    b.write_frame("process.spawned", "of-b");
    return has(tail.out(), "of-b");
  }));
  CAF_CHECK(!has(tail.out(), "of-a"));
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK_EQUAL(tail.wait(), 3);
  CAF_CHECK(has(tail.err(), "the daemon ended the stream"));
}
