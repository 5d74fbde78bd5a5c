#include "runtime/verification/verify_logs.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/segments/segment_name.hpp"
#include "runtime/verification/report_text.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE verify_logs
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;
using cellos::test::memory_directory;
using cellos::test::write_file;

namespace {

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

std::string joined(const lines& all, std::size_t begin = 0, std::size_t end = std::string::npos) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, all.size()); ++i) text += all[i];
  return text;
}

struct fixture {
  memory_directory directory;
  signing_key key = signing_key::generate(signing_algorithm::hmac_sha256, "host-2026");
  signing_key next_key = signing_key::generate(signing_algorithm::hmac_sha256, "host-2027");
  key_list keys = keys_of({&key, &next_key});

  lines whole_log(std::uint64_t declarations = 30) {
    sample what;
    what.key = &key;
    what.next_key = &next_key;
    what.declarations_of_each = declarations;
    return sample_log(what);
  }

  fs::path write(const std::string& name, const std::string& text) {
    fs::create_directories((directory / name).parent_path());
    write_file(directory / name, text);
    return directory / name;
  }

  std::variant<verification_report, std::string> try_verify(const std::vector<fs::path>& arguments,
                                                            const verification_options& options = {},
                                                            unsigned threads = 2) {
    const auto files = find_log_files(arguments);
    if (const auto* refusal = std::get_if<std::string>(&files)) return *refusal;
    return verify_logs(std::get<verified_logs>(files).files, &keys, options, threads);
  }

  verification_report verify(const std::vector<fs::path>& arguments, verification_options options = {},
                             unsigned threads = 2) {
    options.finished = !options.partial;
    auto checked = try_verify(arguments, options, threads);
    if (const auto* failure = std::get_if<std::string>(&checked)) throw std::runtime_error(*failure);
    for (const finding& each : std::get<verification_report>(checked).findings) {
      CAF_MESSAGE(to_string(each.cause) << " " << each.chain << " " << each.sequence << " " << each.file << ":"
                                        << each.line << ": " << each.words);
    }
    return std::get<verification_report>(std::move(checked));
  }
};

std::uint64_t count(const verification_report& report, finding_cause cause) {
  return report.findings_by_cause[static_cast<std::size_t>(cause)];
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(verify_logs_tests, fixture)

CAF_TEST(a_directory_of_segments_is_one_log) {
  const lines log = whole_log();
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t quarter = log.size() / 4 + 1;
    write("host/" + segment_file_name(i + 1), joined(log, i * quarter, (i + 1) * quarter));
  }
  const auto report = verify({directory / "host"});
  CAF_CHECK(report.clean());
  CAF_CHECK_EQUAL(report.files, 4u);
  CAF_CHECK_EQUAL(report.lines, log.size());
  CAF_CHECK_EQUAL(report.bytes, joined(log).size());
  // Segments named one by one, in any order, are the same log.
  std::vector<fs::path> segments;
  for (std::size_t i = 4; i > 0; --i) segments.push_back(directory / "host" / segment_file_name(i));
  CAF_CHECK_EQUAL(json_of(verify(segments)), json_of(report));
  segments.push_back(directory / "host");
  CAF_CHECK_EQUAL(json_of(verify(segments)), json_of(report));
}

CAF_TEST(an_event_twice_in_one_log_is_reported_and_in_two_logs_is_a_copy) {
  const lines log = whole_log();
  write("host/" + segment_file_name(1), joined(log));
  write("host/" + segment_file_name(2), log[20]);
  auto report = verify({directory / "host"});
  CAF_REQUIRE_EQUAL(report.findings.size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::duplicated);
  CAF_CHECK(report.findings[0].file.ends_with(segment_file_name(2)));

  write("a/" + segment_file_name(1), joined(log));
  write("b/" + segment_file_name(1), joined(log));
  report = verify({directory / "a", directory / "b"});
  CAF_CHECK(report.clean());
  for (const chain_report& chain : report.chains) {
    CAF_CHECK_EQUAL(chain.copies, chain.events);
    CAF_CHECK_EQUAL(chain.events, chain.last);
  }
  CAF_CHECK_EQUAL(report.lines, 2 * log.size());
}

CAF_TEST(logs_that_hold_parts_of_a_chain_are_put_together) {
  const lines log = whole_log();
  const auto complete = [&](const std::vector<std::pair<std::size_t, std::size_t>>& parts) {
    std::vector<fs::path> files;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      files.push_back(write("part-" + std::to_string(i) + ".jsonl", joined(log, parts[i].first, parts[i].second)));
    }
    const auto report = verify(files);
    bool exact = report.clean();
    for (const chain_report& chain : report.chains) {
      exact &= chain.events == chain.last && chain.first == 1;
      exact &= chain.is_host() || chain.facts.declarations == 30;
      exact &= chain.facts.silences == (chain.cell == "cell-1" ? 1 : 0);
    }
    return exact;
  };
  const std::size_t size = log.size();
  CAF_CHECK(complete({{0, size}}));
  CAF_CHECK(complete({{0, 100}, {100, size}}));
  CAF_CHECK(complete({{100, size}, {0, 100}}));
  // One lags behind, the other was pruned.
  CAF_CHECK(complete({{0, 150}, {80, size}}));
  CAF_CHECK(complete({{80, size}, {0, 150}}));
  CAF_CHECK(complete({{0, 150}, {80, 200}, {120, size}, {10, 20}}));
  CAF_CHECK(complete({{0, size}, {40, 90}}));
  CAF_CHECK(complete({{40, 90}, {0, size}}));
  CAF_CHECK(complete({{40, 90}, {50, 60}, {0, size}, {0, 70}, {60, size}}));
  std::mt19937 random{7};
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    for (std::size_t begin = 0; begin < size;) {
      const std::size_t end = std::min(size, begin + 20 + random() % 60);
      parts.emplace_back(begin - std::min<std::size_t>(begin, random() % 30), end);
      begin = end;
    }
    std::shuffle(parts.begin(), parts.end(), random);
    CAF_CHECK(complete(parts));
  }
}

CAF_TEST(a_copy_that_differs_is_reported) {
  const lines log = whole_log();
  write("a.jsonl", joined(log));
  const auto differs = [&](std::size_t begin, std::size_t end, std::size_t changed) {
    lines copy{log.begin() + static_cast<std::ptrdiff_t>(begin), log.begin() + static_cast<std::ptrdiff_t>(end)};
    std::string& line = copy[changed - begin];
    const std::size_t at = line.find("guestComm\":\"bash");
    if (at == std::string::npos) return true;
    line.replace(at, 16, "guestComm\":\"cash");
    write("b.jsonl", joined(copy));
    const auto report = verify({directory / "a.jsonl", directory / "b.jsonl"});
    return !report.clean() && count(report, finding_cause::altered) > 0 &&
           std::any_of(report.findings.begin(), report.findings.end(),
                       [](const finding& each) { return each.file.ends_with("b.jsonl"); });
  };
  // Whatever of it is copied: everything, a part without a signature, the changed event alone, or as its last.
  CAF_CHECK(differs(0, log.size(), 40));
  CAF_CHECK(differs(30, 60, 40));
  CAF_CHECK(differs(40, 41, 40));
  CAF_CHECK(differs(20, 41, 40));
}

CAF_TEST(what_only_one_log_lacks_is_not_missing) {
  const lines log = whole_log();
  lines with_gap = log;
  with_gap.erase(with_gap.begin() + 50, with_gap.begin() + 60);
  write("a.jsonl", joined(with_gap));
  write("b.jsonl", joined(log, 30, 80));
  CAF_CHECK(verify({directory / "a.jsonl", directory / "b.jsonl"}).clean());
  CAF_CHECK(count(verify({directory / "a.jsonl"}), finding_cause::missing) > 0);
}

CAF_TEST(a_log_holds_what_an_earlier_report_held_and_may_go_on) {
  const lines log = whole_log();
  verification_options earlier;
  earlier.partial = true;
  const auto verifier = [&](const lines& written) {
    write("a.jsonl", joined(written));
    return verify({directory / "a.jsonl"}, earlier);
  };
  const lines begun{log.begin(), log.begin() + 100};
  const std::string report = json_of(verifier(begun));
  earlier.earlier = std::get<0>(read_earlier_ends(report));
  CAF_CHECK_EQUAL(earlier.earlier.size(), 8u);
  CAF_CHECK(verifier(begun).clean());
  CAF_CHECK(verifier(log).clean());
  CAF_CHECK(!verifier({log.begin(), log.begin() + 99}).clean());

  earlier.earlier["host-c/1"] = {5, ""};
  const auto without = verifier(log);
  CAF_REQUIRE_EQUAL(without.findings.size(), 1u);
  CAF_CHECK_EQUAL(without.findings[0].chain, "host-c/1");

  // Made anew by who has the key: everything fits, and is not what it was.
  reference_chain host{"host-a", "", "", "1", &key};
  reference_chain other{"host-a", "", "", "1", &key};
  const lines first{host.host_started(), host.run_opened("host-a/c/r/1"), host.host_stopped()};
  const lines second{other.host_started(), other.run_opened("host-a/c/r/2"), other.host_stopped()};
  earlier.earlier.clear();
  earlier.earlier = std::get<0>(read_earlier_ends(json_of(verifier({first[0], first[1]}))));
  CAF_CHECK(verifier(first).clean());
  const auto rewritten = verifier(second);
  CAF_REQUIRE_EQUAL(rewritten.findings.size(), 1u);
  CAF_CHECK(rewritten.findings[0].cause == finding_cause::altered);
  CAF_CHECK_EQUAL(rewritten.findings[0].sequence, 2u);
  for (const std::string text : {"", "[]", "{}", R"({"chains":[1]})", R"({"chains":[{"chain":"x"}]})"}) {
    CAF_CHECK(std::holds_alternative<std::string>(read_earlier_ends(text)));
  }
}

CAF_TEST(a_last_line_without_newline_is_reported_with_its_place) {
  const lines log = whole_log();
  std::string text = joined(log);
  text.pop_back();
  write("a.jsonl", text);
  const auto report = verify({directory / "a.jsonl"});
  CAF_CHECK_EQUAL(count(report, finding_cause::unterminated), 1u);
  CAF_CHECK_EQUAL(report.findings.front().line, log.size());
  CAF_CHECK(count(report, finding_cause::missing) > 0);
}

CAF_TEST(the_result_does_not_depend_on_threads_or_blocks) {
  const lines log = whole_log(400);
  lines worse = log;
  worse.erase(worse.begin() + 700);
  std::swap(worse[100], worse[107]);
  worse[1200].replace(worse[1200].find("tier"), 4, "teir");
  worse.emplace_back("no event\n");
  std::string text = joined(worse);
  // More than a block.
  CAF_CHECK(text.size() > (std::size_t{1} << 20));
  write("a.jsonl", text);
  const std::string one = json_of(verify({directory / "a.jsonl"}, {}, 1));
  for (const unsigned threads : {2u, 3u, 8u}) {
    CAF_CHECK_EQUAL(json_of(verify({directory / "a.jsonl"}, {}, threads)), one);
  }
  CAF_CHECK(one.find("\"malformed\"") != std::string::npos);
}

CAF_TEST(a_line_longer_than_any_event_is_passed_over) {
  const lines log = whole_log();
  const std::string endless(std::size_t{40} << 20, 'x');
  write("a.jsonl", joined(log, 0, 30) + endless + "\n" + joined(log, 30));
  const auto report = verify({directory / "a.jsonl"});
  CAF_REQUIRE_EQUAL(report.findings.size(), 1u);
  CAF_CHECK(report.findings[0].cause == finding_cause::malformed);
  CAF_CHECK_EQUAL(report.findings[0].line, 31u);
  CAF_CHECK_EQUAL(report.lines, log.size() + 1);

  write("b.jsonl", joined(log) + endless);
  const auto torn = verify({directory / "b.jsonl"});
  CAF_REQUIRE_EQUAL(torn.findings.size(), 1u);
  CAF_CHECK(torn.findings[0].cause == finding_cause::unterminated);
}

CAF_TEST(lines_longer_than_a_block_are_read) {
  reference_chain host{"host-a", "", "", "1", &key};
  lines log{host.host_started()};
  log.push_back(host.line("host.v1.evidence_blocked", R"({"cause":")" + std::string(3'000'000, 'x') + "\"}", true));
  log.push_back(host.host_stopped());
  write("a.jsonl", joined(log));
  CAF_CHECK(verify({directory / "a.jsonl"}).clean());
}

CAF_TEST(what_cannot_be_read_is_refused_with_its_name) {
  const auto refusal = [&](const fs::path& path) {
    const auto checked = try_verify({path});
    const auto* words = std::get_if<std::string>(&checked);
    return words != nullptr ? *words : "none";
  };
  CAF_CHECK_EQUAL(refusal(directory / "none"),
                  "\"" + (directory / "none").string() + "\" cannot be read: No such file or directory");
  fs::create_directory(directory / "empty");
  CAF_CHECK_EQUAL(refusal(directory / "empty"),
                  "\"" + (directory / "empty").string() + "\" holds no segment of a log (evidence-<20 digits>.jsonl)");
  CAF_CHECK_EQUAL(refusal("/dev/null"),
                  "\"/dev/null\" is a pipe or a device: verify reads logs more than once; write it to a file first");
}

CAF_TEST(no_log_speaks_to_the_terminal_of_whoever_verifies_it) {
  const std::string hostile = "\x1b[2J\x1b[31m\xc2\x9b\xe2\x80\xae\n";
  const std::string escapes = R"(\u001b[2J\u001b[31m\u009b\u202e\n)";
  lines log;
  for (const char* sequence : {"00000000000000000002", "00000000000000000005", "00000000000000000004"}) {
    for (const std::string& source : {"/cellos/host/h" + escapes, std::string{"other"}}) {
      const std::string chain = "h" + escapes + "/c" + escapes + "/r" + escapes + "/1";
      log.push_back(R"({"specversion":"1.0","id":")" + chain + "/" + sequence + R"(","source":")" + source +
                    R"(","type":"x","subject":"urn:cellos:cell:c)" + escapes + R"(","chain":")" + chain +
                    R"(","sequence":")" + sequence + "\",\"data\":{}}\n");
    }
  }
  write("logs/a" + hostile + ".jsonl", joined(log));
  write("logs/b" + hostile + ".jsonl", joined(log) + "torn");
  const auto report =
      verify({directory / ("logs/a" + hostile + ".jsonl"), directory / ("logs/b" + hostile + ".jsonl")});
  CAF_CHECK(!report.clean());
  const std::string reported = text_of(report, false);
  const auto speaks = [](char c) { return c != '\n' && (c < 0x20 || c == 0x7f); };
  CAF_CHECK(std::none_of(reported.begin(), reported.end(), speaks));
}

CAF_TEST(a_name_longer_than_a_chain_can_have_is_none) {
  reference_chain run{"host-a", "cell", std::string(1000, 'r'), "1", &key};
  write("a.jsonl", run.started());
  const auto report = verify({directory / "a.jsonl"});
  CAF_CHECK_EQUAL(count(report, finding_cause::malformed), 1u);
  CAF_CHECK(report.chains.empty());
}

CAF_TEST(an_empty_file_is_a_clean_log_of_nothing) {
  write("a.jsonl", "");
  const auto report = verify({directory / "a.jsonl"});
  CAF_CHECK(report.clean());
  CAF_CHECK_EQUAL(report.chains.size(), 0u);
}

CAF_TEST(progress_ends_at_the_whole) {
  const lines log = whole_log(400);
  write("a.jsonl", joined(log));
  const auto files = find_log_files({directory / "a.jsonl"});
  std::vector<std::uint64_t> reported;
  std::uint64_t whole = 0;
  (void)verify_logs(std::get<verified_logs>(files).files, &keys, {}, 2, [&](std::uint64_t bytes, std::uint64_t total) {
    reported.push_back(bytes);
    whole = total;
  });
  CAF_REQUIRE(reported.size() > 1);
  CAF_CHECK(std::is_sorted(reported.begin(), reported.end()));
  CAF_CHECK_EQUAL(reported.back(), whole);
  CAF_CHECK_EQUAL(whole, joined(log).size());
}

CAF_TEST_FIXTURE_SCOPE_END()
