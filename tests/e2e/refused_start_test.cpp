// A start that is refused: why is said in the log's own form, and the evidence is as it was.

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE refused_start
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// A TCP port that is taken as long as the object lives.
class taken_port {
 public:
  taken_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    CAF_REQUIRE_EQUAL(::bind(socket_.get(), any, size), 0);
    CAF_REQUIRE_EQUAL(::listen(socket_.get(), 1), 0);
    CAF_REQUIRE_EQUAL(::getsockname(socket_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::string key() const { return "http_listen = '127.0.0.1:" + std::to_string(port_) + "'\n"; }

 private:
  file_descriptor socket_;
  std::uint16_t port_ = 0;
};

/// Every segment's content by name.
std::map<std::string, std::string> segments_in(const daemon_home& home) {
  std::map<std::string, std::string> found;
  if (!fs::exists(home.evidence_dir())) return found;
  for (const auto& each : fs::directory_iterator{home.evidence_dir()}) {
    if (each.path().extension() != ".jsonl") continue;
    std::ifstream in{each.path(), std::ios::binary};
    std::ostringstream out;
    out << in.rdbuf();
    found.emplace(each.path().filename().string(), out.str());
  }
  return found;
}

void check_is_refused(const daemon_home& home, std::string_view why) {
  daemon_process refused{home};
  CAF_CHECK_EQUAL(refused.wait(), 3);
  CAF_MESSAGE(refused.err());
  CAF_CHECK(has(refused.err(), why));
}

const std::vector<cell_settings> two_cells{{.id = "c1"}, {.id = "c2"}};

}  // namespace

CAF_TEST(a_start_whose_address_is_taken_writes_nothing_to_the_evidence_and_serves_nothing) {
  const daemon_home home;
  const taken_port taken;
  home.configure({.cells = two_cells, .tables = home.control_table()});
  auto killed = daemon_process::ready(home);
  CAF_CHECK_EQUAL(simulate({.socket = home.socket_of("c1"), .frames = 50}).declarations, 50u);
  killed.send(SIGKILL);
  killed.wait();
  // The last line is torn: that is mended, and on record, by the start that is not refused.
  const auto segment = home.evidence_dir() / segments_in(home).rbegin()->first;
  std::ofstream{segment, std::ios::app} << "{\"torn";
  const auto before = segments_in(home);

  home.configure({.cells = two_cells, .tables = home.control_table() + taken.key()});
  for (int attempt = 0; attempt < 3; ++attempt) check_is_refused(home, "http_listen");
  CAF_CHECK(segments_in(home) == before);
  CAF_CHECK(!fs::exists(home.control_socket()));
  std::ofstream{home / "in-the-way"} << "a file";
  home.configure({.cells = two_cells, .tables = "[control]\nsocket = '" + (home / "in-the-way").string() + "'\n"});
  check_is_refused(home, "[control] socket");
  CAF_CHECK(segments_in(home) == before);

  home.configure({.cells = two_cells, .tables = home.control_table()});
  auto daemon = daemon_process::ready(home);
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "host.v1.evidence_truncated"), 1u);
  CAF_CHECK_EQUAL(count_in_log(home.evidence_dir(), "daemon_restart"), 2u);
}

CAF_TEST(a_first_start_that_is_refused_leaves_no_segment) {
  const daemon_home home;
  const taken_port taken;
  home.configure({.cells = two_cells, .tables = home.control_table() + taken.key()});
  check_is_refused(home, "http_listen");
  CAF_CHECK(segments_in(home).empty());
}

CAF_TEST(a_state_file_that_another_daemon_has_is_a_reason_not_to_start) {
  const daemon_home first;
  const daemon_home second;
  const std::string shared = "state_file = '" + (first / "cells.json").string() + "'\n";
  first.configure({.tables = first.control_table() + shared});
  second.configure({.tables = second.control_table() + shared});
  auto daemon = daemon_process::ready(first);
  check_is_refused(second, "give this one a [control] state_file of its own");
  CAF_CHECK(segments_in(second).empty());
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  auto after = daemon_process::ready(second);
  CAF_CHECK_EQUAL(after.stop(), 0);
}

CAF_TEST(what_is_no_regular_file_is_refused_as_configuration_at_once) {
  const daemon_home home;
  const std::string fifo = home / "fifo";
  CAF_REQUIRE_EQUAL(::mkfifo(fifo.c_str(), 0600), 0);
  const std::vector<std::pair<std::string, std::string>> odd{
      {fifo, "is a FIFO"}, {"/dev/zero", "is a device"}, {home.evidence_dir().parent_path(), "Is a directory"}};
  for (const auto& [path, why] : odd) {
    process refused{{program_path("cellos-telemetryd"), {"--config", path}}};
    CAF_CHECK_EQUAL(refused.wait(), 3);
    CAF_MESSAGE(refused.err());
    CAF_CHECK(has(refused.err(), why));
  }
}

CAF_TEST(a_reload_of_what_became_a_fifo_is_refused_and_the_daemon_goes_on) {
  const daemon_home home{{.cells = two_cells}};
  auto daemon = daemon_process::ready(home);
  fs::remove(home.configuration_file());
  CAF_REQUIRE_EQUAL(::mkfifo(home.configuration_file().c_str(), 0600), 0);
  daemon.send(SIGHUP);
  CAF_CHECK(has(daemon.wait_for_line(" reload_refused "), "is a FIFO"));
  CAF_CHECK_EQUAL(daemon.stop(), 0);
}

CAF_TEST(with_json_every_line_is_json_refusals_included) {
  const taken_port taken;
  const daemon_home home;
  const std::string json_log = "[log]\nformat = \"json\"\n";
  const std::vector<std::string> refused{
      "host_id = 7\n[evidence]\ndir = '" + (home / "e").string() + "'\n" + json_log,
      "host_id = [\n" + json_log,
      "host_id = 'h'\n[evidence]\ndir = '" + (home / "e").string() + "'\n[control]\n" + taken.key() + json_log,
      "host_id = 'h'\n[evidence]\ndir = '/dev/null/e'\n" + json_log,
  };
  for (const std::string& toml : refused) {
    home.write_configuration(toml);
    daemon_process daemon{home};
    CAF_CHECK_EQUAL(daemon.wait(), 3);
    std::size_t reasons = 0;
    const std::string written = daemon.err();
    for (const std::string_view line : lines_of(written)) {
      CAF_MESSAGE(line);
      const auto parsed = nlohmann::json::parse(line, nullptr, false);
      CAF_REQUIRE(parsed.is_object());
      CAF_CHECK(parsed.contains("time") && parsed.contains("level"));
      reasons += parsed.value("event", "") == "start_refused" && !parsed.value("cause", "").empty() ? 1 : 0;
    }
    CAF_CHECK_EQUAL(reasons, 1u);
    CAF_CHECK_EQUAL(daemon.out(), "");
  }
}
