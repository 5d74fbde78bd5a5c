#include "runtime/verification/witnesses.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/hexadecimal.hpp"
#include "messages/segment_position.hpp"
#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/segment_name.hpp"
#include "runtime/verification/verify_logs.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE witnesses
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

namespace {

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

const std::string log_id = "00112233445566778899aabbccddeeff";

std::string joined(const lines& all, std::size_t begin = 0, std::size_t end = std::string::npos) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, all.size()); ++i) text += all[i];
  return text;
}

/// A host's log, and a collector that has seen some of it.
struct fixture {
  /// What the host writes; `changed`: a declaration that says another thing.
  lines host_log(std::optional<int> changed = std::nullopt) {
    reference_chain host{"host-a", "", "", "1", &host_key};
    reference_chain run{"host-a", "cell-1", "run-1", "1", &host_key};
    lines log{host.host_started(), host.run_opened(run.chain()), run.started()};
    for (int i = 0; i < 40; ++i) log.push_back(run.declaration(i % 5 == 4, i == changed ? "evil" : "bash"));
    log.push_back(run.ended(40));
    log.push_back(host.run_closed(run));
    log.push_back(host.host_stopped());
    return log;
  }
  /// Twenty lines a segment.
  void write_host(const lines& log) {
    fs::remove_all(directory / "host");
    fs::create_directories(directory / "host");
    for (std::size_t i = 0; i * 20 < log.size(); ++i) {
      write_file(directory / "host" / segment_file_name(i + 1), joined(log, i * 20, (i + 1) * 20));
    }
    write_file(directory / "host/log-id", log_id + "\n");
  }
  /// The place behind that line.
  static segment_position end_of(const lines& log, std::size_t line) {
    return {line / 20 + 1, joined(log, line / 20 * 20, line + 1).size()};
  }
  static std::string witnessed(const lines& log, std::size_t line, const std::string& id = log_id) {
    const auto at = end_of(log, line);
    const auto bytes = joined(log, line / 20 * 20, line + 1);
    return R"({"bytesDigest":")" + hexadecimal(sha256::of(bytes)) + R"(","digest":")" +
           hexadecimal(sha256::of(log[line])) + R"(","fork":"0","from":"0","hostId":"collector-1","logId":")" + id +
           R"(","ofHost":"host-a","offset":")" + std::to_string(at.offset) +
           R"(","output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},"segment":")" +
           std::to_string(at.segment) + "\"}";
  }
  /// The collector's own log, of what it witnesses.
  void write_witness(const lines& said, const signing_key& key) {
    reference_chain own{"collector-1", "", "", "1", &key};
    std::string text = own.host_started();
    for (const std::string& each : said) text += own.line("host.v1.witnessed", each, true);
    fs::create_directories(directory / "witness");
    write_file(directory / "witness" / segment_file_name(1), text);
  }
  /// It saw these lines.
  void write_witness(const lines& log, const std::vector<std::size_t>& seen, const signing_key& key,
                     const std::string& id = log_id) {
    lines said;
    for (const std::size_t line : seen) said.push_back(witnessed(log, line, id));
    write_witness(said, key);
  }
  void write_witness(const lines& log, const std::vector<std::size_t>& seen) {
    write_witness(log, seen, collector_key);
  }
  /// A piece that collector `name` keeps: lines `begin` to `end` of one segment.
  fs::path write_piece(const std::string& name, const lines& log, std::size_t begin, std::size_t end) {
    auto copy = directory / name / "host-a" / log_id;
    fs::create_directories(copy);
    const segment_position at{begin / 20 + 1, joined(log, begin / 20 * 20, begin).size()};
    write_file(copy / piece_file_name(at), joined(log, begin, end));
    return copy;
  }

  std::variant<verification_report, std::string> check(const std::vector<fs::path>& logs,
                                                       const verification_options& options) {
    return verify_logs(logs, &keys, options, 2);
  }
  verification_report verify(const std::vector<fs::path>& logs, const verification_options& options = {}) {
    auto checked = check(logs, options);
    if (const auto* failure = std::get_if<std::string>(&checked)) throw std::runtime_error(*failure);
    auto& report = std::get<verification_report>(checked);
    for (const finding& each : report.findings) {
      CAF_MESSAGE(to_string(each.cause) << " " << each.chain << " " << each.sequence << " " << each.file << ":"
                                        << each.line << ": " << each.words);
    }
    return std::move(report);
  }
  verification_report verify_host(bool with_witness = true) {
    verification_options options;
    if (with_witness) options.witnesses = {directory / "witness"};
    return verify({directory / "host"}, options);
  }
  static bool is_only(const verification_report& report, finding_cause cause) {
    return report.findings.size() == 1 && report.findings[0].cause == cause;
  }
  static bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

  memory_directory directory;
  signing_key host_key = signing_key::generate(signing_algorithm::ed25519, "host-key");
  signing_key collector_key = signing_key::generate(signing_algorithm::ed25519, "collector-key");
  key_list keys = keys_of({&host_key, &collector_key});
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(witnesses_tests, fixture)

CAF_TEST(a log that is as it was seen agrees) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19, 22, 45});
  const auto report = verify_host();
  CAF_CHECK(report.clean());
  CAF_CHECK(std::ranges::any_of(report.notes, [](const auto& each) { return has(each, "4 witnessed places agree"); }));
}

CAF_TEST(who has the hosts key and writes the past anew is found out by the witness alone) {
  write_witness(host_log(), {3, 19, 22, 30});
  // Line 15, counted from 1; everything after it is chained and signed again.
  const lines rewritten = host_log(11);
  CAF_REQUIRE(has(rewritten[14], "evil"));
  write_host(rewritten);
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  const finding& found = report.findings[0];
  CAF_CHECK(has(found.file, segment_file_name(1)));
  CAF_CHECK_EQUAL(found.line, 20u);
  CAF_CHECK_EQUAL(found.chain, "host-a/cell-1/run-1/1");
  CAF_CHECK(has(found.words, "witness/" + segment_file_name(1) + ":3 "));
  CAF_CHECK(has(found.words, "2 later"));
}

CAF_TEST(what is written anew in one chain is found out also where only lines of others end at witnessed places) {
  const auto log_of = [this](std::string_view last_word) {
    reference_chain host{"host-a", "", "", "1", &host_key};
    reference_chain first{"host-a", "cell-1", "run-1", "1", &host_key};
    reference_chain second{"host-a", "cell-2", "run-2", "1", &host_key};
    lines log{host.host_started(), host.run_opened(first.chain()), first.started()};
    log.push_back(host.run_opened(second.chain()));
    log.push_back(second.started());
    for (int i = 0; i < 5; ++i) log.push_back(first.declaration(true));
    log.push_back(first.declaration(true, last_word));
    for (int i = 0; i < 6; ++i) log.push_back(second.declaration(true));
    return log;
  };
  const lines log = log_of("bash");
  write_witness(log, {8, 13, 15});
  write_host(log_of("evil"));
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  // Between the ninth line, which is as it was, and the fourteenth: it is the eleventh.
  CAF_CHECK_EQUAL(report.findings[0].line, 14u);
  CAF_CHECK(has(report.findings[0].words, "one of the lines from line 10 on"));
}

CAF_TEST(a line that was written longer moves what was witnessed and is named) {
  write_witness(host_log(), {10});
  lines log = host_log();
  write_host(log);
  // The line that spans the place now.
  log[8].insert(log[8].size() - 2, 30, ' ');
  write_file(directory / "host" / segment_file_name(1), joined(log, 0, 20));
  verification_options options;
  options.witnesses = {directory / "witness"};
  const auto report = verify({directory / "host"}, options);
  const auto found =
      std::ranges::find_if(report.findings, [](const auto& each) { return has(each.words, "witnesses"); });
  CAF_REQUIRE(found != report.findings.end());
  CAF_CHECK_EQUAL(found->line, 11u);
}

CAF_TEST(a log that was set back ends before what was witnessed) {
  const lines log = host_log();
  const lines snapshot{log.begin(), log.begin() + 28};
  write_witness(log, {3, 27});
  write_host(snapshot);
  CAF_CHECK(verify_host().clean());
  write_witness(log, {3, 27, 35, 42});
  CAF_CHECK(verify_host(false).clean());
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].file, "witness/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 4u);
  CAF_CHECK(has(report.findings[0].words, "1 later"));
  verification_options part;
  part.partial = true;
  part.witnesses = {directory / "witness"};
  CAF_CHECK(verify({directory / "host"}, part).clean());
}

CAF_TEST(segments that are gone are found unless the host says that retention took them) {
  reference_chain host{"host-a", "", "", "1", &host_key};
  lines log{host.host_started()};
  while (log.size() < 45) log.push_back(host.line("host.v1.started", R"({"hostId":"host-a"})", true));
  write_witness(log, {3, 19, 44});
  write_host(log);
  fs::remove(directory / "host" / segment_file_name(1));
  CAF_CHECK(!verify_host().clean());
  CAF_CHECK(std::ranges::any_of(verify_host().findings, [](const auto& each) { return has(each.file, "witness/"); }));
  const std::string chain = host.chain();
  // What comes before is gone as the host says: up to the twentieth event.
  reference_chain again{"host-a", "", "", "1", &host_key};
  lines kept{again.host_started()};
  while (kept.size() < 20) kept.push_back(again.line("host.v1.started", R"({"hostId":"host-a"})", true));
  const std::string removal = R"({"bytes":"1","chains":[{"chain":")" + chain + R"(","lastDigest":")" +
                              again.last_digest() + R"(","lastSequence":"20","open":true}],"firstSegment":"1",)" +
                              R"("hostId":"host-a","lastSegment":"1","part":"1","parts":"1"})";
  kept.push_back(again.line("host.v1.evidence_removed", removal, true));
  while (kept.size() < 45) kept.push_back(again.line("host.v1.started", R"({"hostId":"host-a"})", true));
  write_witness(kept, {3, 19, 44});
  write_host(kept);
  fs::remove(directory / "host" / segment_file_name(1));
  CAF_CHECK(verify_host().clean());
}

CAF_TEST(a witness that does not verify or is the host itself counts for nothing) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19});
  const auto path = directory / "witness" / segment_file_name(1);
  std::string text = content_of(path);
  text.replace(text.find("\"offset\":\"") + 10, 1, "9");
  write_file(path, text);
  auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::no_witness));
  CAF_CHECK(has(report.findings[0].file, "witness/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 2u);
  // Who has the host's key alone makes a collector up.
  write_witness(host_log(11), {3, 19}, host_key);
  write_host(host_log(11));
  report = verify_host();
  CAF_CHECK(is_only(report, finding_cause::no_witness));
}

CAF_TEST(a log is known by its id and where it has none by being the only one) {
  const lines log = host_log();
  write_host(log);
  write_witness(log, {3, 19}, collector_key, "ffffffffffffffffffffffffffffffff");
  const auto report = verify_host();
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].words, "log ffffffffffffffffffffffffffffffff of host host-a is not here"));
  write_witness(host_log(2), {3, 19});
  fs::remove(directory / "host/log-id");
  CAF_CHECK(is_only(verify_host(), finding_cause::altered));
}

CAF_TEST(what is witnessed of another host with the same log id says nothing of this one) {
  const lines log = host_log();
  write_host(log);
  // A host that gave its log the id of another's, and what a collector saw of both.
  const lines others = host_log(7);
  std::string of_other = witnessed(others, 19);
  of_other.replace(of_other.find("host-a"), 6, "host-b");
  write_witness({of_other, witnessed(log, 19)}, collector_key);
  CAF_CHECK(verify_host().clean());
  write_host(others);
  CAF_CHECK(is_only(verify_host(), finding_cause::altered));
}

CAF_TEST(of a part too a host whose witnessed log is not here under its id is named) {
  write_witness(host_log(), {3, 19});
  write_host(host_log(11));
  verification_options part;
  part.partial = true;
  part.witnesses = {directory / "witness"};
  CAF_CHECK(is_only(verify({directory / "host"}, part), finding_cause::altered));
  write_file(directory / "host/log-id", "ffffffffffffffffffffffffffffffff\n");
  const auto report = verify({directory / "host"}, part);
  CAF_REQUIRE(is_only(report, finding_cause::no_witness));
  CAF_CHECK(has(report.findings[0].words, "log " + log_id + " of host host-a"));
}

CAF_TEST(a fork that was witnessed and is not here is named) {
  const lines log = host_log();
  std::string of_fork = witnessed(host_log(7), 19);
  of_fork.replace(of_fork.find(R"("fork":"0")"), 10, R"("fork":"1")");
  write_witness({witnessed(log, 45), of_fork}, collector_key);
  const auto copy = write_piece("one", log, 0, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  verification_options options;
  options.witnesses = {directory / "witness"};
  const auto report = verify({copy}, options);
  CAF_REQUIRE(is_only(report, finding_cause::missing));
  CAF_CHECK(has(report.findings[0].words, "fork 1"));
}

CAF_TEST(pieces of a copy are one log) {
  const lines log = host_log();
  const auto copy = write_piece("one", log, 0, 7);
  write_piece("one", log, 7, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  verification_options options;
  options.finished = true;
  options.witnesses = {directory / "witness"};
  write_witness(log, {3, 6, 7, 19, 22, 45});
  // The copy, all of the host, all hosts.
  for (const auto& named : {copy, copy.parent_path(), directory / "one"}) {
    const auto report = verify({named}, options);
    CAF_CHECK(report.clean());
    CAF_CHECK_EQUAL(report.lines, log.size());
    CAF_CHECK_EQUAL(report.files, 4u);
  }
}

CAF_TEST(what several collectors have is put together by position) {
  const lines log = host_log();
  const auto one = write_piece("one", log, 0, 12);
  write_piece("one", log, 25, 40);
  const auto two = write_piece("two", log, 5, 20);
  write_piece("two", log, 20, 30);
  write_piece("two", log, 40, log.size());
  verification_options options;
  options.finished = true;
  const auto whole = verify({one, two}, options);
  CAF_CHECK(whole.clean());
  CAF_CHECK_EQUAL(whole.lines, log.size());
  for (const chain_report& each : whole.chains) CAF_CHECK_EQUAL(each.copies, 0u);
  CAF_CHECK(verify({directory / "two", directory / "one"}, options).clean());
  CAF_MESSAGE("one alone has gaps, which are named");
  const auto part = verify({two}, options);
  CAF_CHECK(std::ranges::any_of(part.findings, [](const finding& each) {
    return each.cause == finding_cause::missing && has(each.words, "bytes 0 to ") && has(each.words, "of segment 1 ");
  }));
  CAF_CHECK(std::ranges::any_of(part.findings, [](const finding& each) {
    return each.cause == finding_cause::missing && has(each.words, "segment") &&
           each.file.find("/two/") != std::string::npos;
  }));
  CAF_MESSAGE("of a part the places are nothing wrong but a chain is still without a gap");
  options.finished = false;
  options.partial = true;
  CAF_CHECK(
      std::ranges::all_of(verify({two}, options).findings, [](const finding& each) { return !each.chain.empty(); }));
}

CAF_TEST(a line that is wrong is named where it stands also behind bytes that two collectors have) {
  lines log = host_log();
  const auto one = write_piece("one", log, 0, 12);
  log[16].replace(log[16].find("bash"), 4, "evil");
  const auto two = write_piece("two", log, 5, 20);
  write_piece("two", log, 20, 40);
  write_piece("two", log, 40, log.size());
  const auto report = verify({one, two});
  CAF_REQUIRE(!report.clean());
  CAF_CHECK(has(report.findings[0].file, "/two/"));
  // The first five lines are the other's alone, seven are read from there: it is the twelfth of its own file.
  CAF_CHECK_EQUAL(report.findings[0].line, 12u);
}

CAF_TEST(a copy that was edited at one collector differs from the others and both files are named) {
  lines log = host_log();
  const auto one = write_piece("one", log, 0, 20);
  write_piece("one", log, 20, 40);
  write_piece("one", log, 40, log.size());
  log[9].replace(log[9].find("bash"), 4, "evil");
  const auto two = write_piece("two", log, 3, 15);
  const auto report = verify({one, two});
  CAF_REQUIRE(is_only(report, finding_cause::altered));
  CAF_CHECK(has(report.findings[0].file, "/two/"));
  CAF_CHECK_EQUAL(report.findings[0].line, 7u);
  CAF_CHECK(has(report.findings[0].words, "line 10 of"));
  CAF_CHECK(has(report.findings[0].words, "/one/"));
  verification_options part;
  part.partial = true;
  CAF_CHECK(!verify({two}, part).clean());
}

CAF_TEST_FIXTURE_SCOPE_END()
