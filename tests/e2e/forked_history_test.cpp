// What becomes of a collector's copy when its host's log is no longer what it was: after a loss of power, a restored
// snapshot, an edit.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/segments/copy_name.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/simulator.hpp"

// ctest: TIMEOUT 180
#define CAF_SUITE forked_history
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

const std::string host_name{daemon_home::host_id};
constexpr std::uint64_t frames = 500;

struct fixture {
  fixture() {
    certificates.add_host(host_name);
    certificates.add_collector("collector-1");
    collector.emplace(certificates, "collector-1");
    process keygen{{program_path("cellos-telemetryctl"), {"keygen", "--kid", "k", "--out", keys / "k"}}};
    CAF_REQUIRE_EQUAL(keygen.wait(), 0);
    configure("10ms");
  }

  void configure(const std::string& fsync) {
    home.configure({.cells = {{.id = "c1"}},
                    .evidence = "segment_bytes = '64KiB'\nfsync = '" + fsync + "'\n",
                    .tables = "[signing]\nalg = 'ed25519'\nkid = 'k'\nkey_file = '" + (keys / "k").string() +
                              "'\nmode = 'checkpoint'\n" + certificates.tls_table(host_name) +
                              "[forward]\ncollectors = ['" + collector->address() + "']\n"});
  }

  /// A host from start to stop, with some declarations in between; all of it delivered.
  std::string live() {
    auto host = daemon_process::ready(home);
    host.wait_for_line("collector_reached");
    simulate({.socket = home.socket_of("c1"), .frames = frames});
    CAF_CHECK_EQUAL(host.stop(), 0);
    CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
    return host.err();
  }

  /// By the directory's name: what the copy says, from where on.
  std::map<std::string, log_text> copies() const {
    std::map<std::string, log_text> all;
    for (const auto& copy : collector->copies_of(host_name)) {
      log_text& text = all[copy.filename()];
      for (const auto& piece : std::filesystem::directory_iterator{copy}) {
        const auto begin = parse_piece_file_name(piece.path().filename().native());
        CAF_REQUIRE(begin);
        CAF_REQUIRE_EQUAL(begin->offset, text[begin->segment].size());
        text[begin->segment] += content_of(piece.path());
      }
    }
    return all;
  }
  std::string log_id() const {
    std::string id = content_of(home.evidence_dir() / "log-id");
    id.pop_back();
    return id;
  }

  /// Both sides have said so, and both histories are there.
  void check_fork(const std::string& host_said, const log_text& before, const log_text& after) {
    CAF_CHECK_EQUAL(count_lines(host_said, "delivery_forked"), 1u);
    CAF_CHECK_EQUAL(count_lines(collector->daemon().err(), "history_forked host=" + host_name), 1u);
    const auto kept = copies();
    CAF_REQUIRE_EQUAL(kept.size(), 2u);
    CAF_CHECK(kept.at(log_id()) == before);
    CAF_CHECK(kept.at(log_id() + ".fork-1") == after);
  }

  /// As a host's own log is.
  static void write_log(const std::filesystem::path& dir, const log_text& log) {
    for (const auto& [segment, text] : log) write_file(dir / segment_file_name(segment), text);
  }

  struct findings {
    int code = 0;
    std::string text;
  };
  findings verify(std::vector<std::string> what) {
    std::vector<std::string> arguments{"verify", "--finished", "--keys", keys / "k.pub.json"};
    arguments.insert(arguments.end(), what.begin(), what.end());
    process verifier{{program_path("cellos-telemetryctl"), std::move(arguments)}};
    const int code = verifier.wait();
    return {code, verifier.out() + verifier.err()};
  }

  temporary_directory keys;
  certificate_directory certificates;
  std::optional<collector_node> collector;
  daemon_home home;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(forked_history_tests, fixture)

CAF_TEST(a host that loses its power and what it had not made durable has no fork) {
  // So long that a segment is durable once it is full, and its successor is not.
  configure("1h");
  auto host = daemon_process::ready(home);
  host.wait_for_line("collector_reached");
  // Slowly: a segment ends between two writes of the log.
  simulate({.socket = home.socket_of("c1"), .frames = frames, .further = {"--rate", "1000"}});
  const auto segments = [&] { return log_text_of(home.evidence_dir()); };
  CAF_REQUIRE(
      holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), R"("hostReceivedAt":")") == frames; }));
  CAF_REQUIRE(segments().size() > 3);
  const auto last = segments().rbegin()->first;
  CAF_REQUIRE(!segments().at(last).empty());
  CAF_REQUIRE(holds_within(test_timeout, [&] {
    const auto kept = copies();
    return !kept.empty() && kept.begin()->second.rbegin()->first + 1 == last &&
           kept.begin()->second.rbegin()->second == segments().at(last - 1);
  }));
  host.send(SIGKILL);
  host.wait();
  CAF_MESSAGE("the collector has nothing of the last segment, which goes");
  CAF_CHECK(!copies().begin()->second.contains(last));
  std::filesystem::resize_file(home.evidence_dir() / segment_file_name(last), 0);
  configure("10ms");
  const std::string said = live();
  CAF_CHECK_EQUAL(count_lines(said, "delivery_forked"), 0u);
  CAF_CHECK_EQUAL(count_lines(collector->daemon().err(), "history_forked"), 0u);
  CAF_CHECK_EQUAL(copies().size(), 1u);
  CAF_CHECK_EQUAL(difference(home, {&*collector}), "");
}

CAF_TEST(a snapshot that was restored is a fork that both sides report) {
  live();
  const temporary_directory snapshots;
  const auto snapshot = snapshots / "evidence";
  std::filesystem::copy(home.evidence_dir(), snapshot, std::filesystem::copy_options::recursive);
  live();
  const log_text before = log_text_of(home.evidence_dir());
  std::filesystem::remove_all(home.evidence_dir());
  std::filesystem::copy(snapshot, home.evidence_dir(), std::filesystem::copy_options::recursive);
  const std::string said = live();
  const log_text after = log_text_of(home.evidence_dir());
  check_fork(said, before, after);
  CAF_MESSAGE("each history is good by itself, and both together are not");
  const temporary_directory first;
  const temporary_directory second;
  write_log(first.path(), copies().at(log_id()));
  write_log(second.path(), copies().at(log_id() + ".fork-1"));
  CAF_CHECK_EQUAL(verify({first.path()}).code, 0);
  CAF_CHECK_EQUAL(verify({second.path()}).code, 0);
  const auto both = verify({first.path(), second.path()});
  CAF_MESSAGE(both.text);
  CAF_CHECK_NOT_EQUAL(both.code, 0);
  const auto at = both.text.find(".jsonl:");
  CAF_REQUIRE_NOT_EQUAL(at, std::string::npos);
  const auto finding = both.text.substr(at, both.text.find('\n', at) - at);
  CAF_CHECK_NOT_EQUAL(finding.find(": differs from the copy in "), std::string::npos);
}

CAF_TEST(an edited log is a fork that both sides report and verify names the line) {
  live();
  const log_text before = log_text_of(home.evidence_dir());
  const auto last = home.evidence_dir() / segment_file_name(before.rbegin()->first);
  std::string text = before.rbegin()->second;
  const auto begin_of_last = text.rfind('\n', text.size() - 2) + 1;
  const auto edited = text.find("host", begin_of_last);
  CAF_REQUIRE_NOT_EQUAL(edited, std::string::npos);
  text[edited] = 'H';
  write_file(last, text);
  const auto found = verify({home.evidence_dir()});
  CAF_MESSAGE(found.text);
  CAF_CHECK_NOT_EQUAL(found.code, 0);
  const auto number = std::count(text.begin(), text.end(), '\n');
  CAF_CHECK_NOT_EQUAL(found.text.find(last.filename().string() + ":" + std::to_string(number)), std::string::npos);
  const std::string said = live();
  check_fork(said, before, log_text_of(home.evidence_dir()));
}

CAF_TEST_FIXTURE_SCOPE_END()
