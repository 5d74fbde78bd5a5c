#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "messages/cloud_event.hpp"
#include "messages/host_event.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE recovered_evidence
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

namespace fs = std::filesystem;

/// A daemon that signs each event and is killed in the middle of a run; somebody without the key then lays hands on
/// what it left.
struct fixture {
  fixture() {
    settings.cells = {{.id = "c1"}};
    settings.tables =
        "[signing]\nalg = 'ed25519'\nkid = 'the-key'\nmode = 'event'\nkey_file = '" + (home / "key").string() + "'\n";
    std::ofstream{home / "key"} << "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    fs::permissions(home / "key", fs::perms{0600});
    home.configure(settings);
  }

  void send(std::uint64_t frames) {
    simulator{simulation{.socket = home.socket_of(settings.cells[0]), .frames = frames}}.finish();
  }

  void live_and_die(std::uint64_t frames) {
    auto daemon = daemon_process::ready(home);
    send(frames);
    CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "probeSource") >= frames; }));
    daemon.send(SIGKILL);
    daemon.wait();
  }

  /// What the operator hears of it.
  std::string live_and_stop() {
    auto daemon = daemon_process::ready(home);
    CAF_CHECK_EQUAL(daemon.stop(), 0);
    return daemon.err();
  }

  std::vector<event> events(const std::string& type_prefix) const {
    std::vector<event> out;
    const auto take = [&](const event& next) {
      if (next.type.starts_with(type_prefix)) out.push_back(next);
    };
    visit_events(home.evidence_dir(), take);
    visit_host_events(home.evidence_dir(), take);
    return out;
  }

  std::size_t count(std::string_view type) const { return events(std::string{type}).size(); }

  fs::path segment() const { return home.evidence_dir() / "evidence-00000000000000000001.jsonl"; }

  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::ifstream file{segment()};
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
  void write(const std::vector<std::string>& all) const {
    std::ofstream file{segment(), std::ios::trunc};
    for (const std::string& line : all) file << line << "\n";
  }

  daemon_settings settings;
  daemon_home home{settings};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(recovered_evidence_tests, fixture)

CAF_TEST(what a killed daemon left goes on without a word) {
  live_and_die(50);
  const std::string said = live_and_stop();
  CAF_CHECK_EQUAL(count_lines(said, " evidence_doubtful "), 0u);
  CAF_CHECK_EQUAL(count(name_of(event_type::run_resumed)), 1u);
  CAF_CHECK_EQUAL(count(name_of(event_type::host_run_opened)), 1u);
  CAF_CHECK_EQUAL(count(name_of(event_type::host_run_closed)), 1u);
}

CAF_TEST(a run that was cut back is never signed over) {
  {
    auto daemon = daemon_process::ready(home);
    for (const std::size_t sent : {50u, 100u}) {
      send(50);
      CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "probeSource") >= sent; }));
    }
    daemon.send(SIGKILL);
    daemon.wait();
  }
  // Less would look as if the last append had been cut short.
  auto all = lines();
  all.resize(10);
  write(all);
  const std::string said = live_and_stop();
  CAF_CHECK_EQUAL(count_lines(said, "chain_abandoned: cut_back"), 1u);
  CAF_CHECK_EQUAL(count(name_of(event_type::host_chain_abandoned)), 1u);
  CAF_CHECK_EQUAL(count(name_of(event_type::run_resumed)), 0u);
  CAF_CHECK_EQUAL(count(name_of(event_type::run_started)), 2u);
}

CAF_TEST(without its journal a start says so) {
  live_and_die(5);
  fs::remove(home.evidence_dir() / "recovery.journal");
  CAF_CHECK_EQUAL(count_lines(live_and_stop(), "journal_unusable: absent"), 1u);
  CAF_CHECK_EQUAL(count(name_of(event_type::host_journal_unusable)), 1u);
  CAF_MESSAGE("once");
  CAF_CHECK_EQUAL(count_lines(live_and_stop(), " evidence_doubtful "), 0u);
}

CAF_TEST(another host begins a log of its own in the same directory) {
  live_and_die(5);
  std::ostringstream file;
  file << std::ifstream{home.configuration_file()}.rdbuf();
  std::string text = file.str();
  text.replace(text.find(daemon_home::host_id), daemon_home::host_id.size(), "host-b");
  home.write_configuration(text);
  CAF_CHECK_EQUAL(count_lines(live_and_stop(), " evidence_doubtful "), 0u);
  CAF_CHECK_EQUAL(count(name_of(event_type::run_resumed)), 0u);
  CAF_CHECK_EQUAL(count(name_of(event_type::run_ended)), 2u);
  CAF_CHECK_EQUAL(count(name_of(event_type::host_stopped)), 2u);
  CAF_CHECK(events(std::string{name_of(event_type::host_started)}).back().chain.starts_with("host-b/"));
}

CAF_TEST(another way of signing waits for a restart and then begins anew) {
  {
    auto daemon = daemon_process::ready(home);
    settings.tables.replace(settings.tables.find("'event'"), 7, "'checkpoint'");
    home.configure(settings);
    daemon.send(SIGHUP);
    CAF_CHECK(daemon.wait_for_line(" restart_needed ").find("signing.mode") != std::string::npos);
    send(20);
    CAF_CHECK_EQUAL(daemon.stop(), 0);
  }
  for (const std::string& line : lines()) CAF_CHECK(line.find("\"dssematerial\"") != std::string::npos);
  live_and_stop();
  CAF_CHECK_EQUAL(count(name_of(event_type::host_stopped)), 2u);
  CAF_CHECK(lines().back().find("\"dssematerial\"") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
