#include "runtime/verification/host_statements.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/lines/rfc3339.hpp"
#include "runtime/verification/log_verifier.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/verified_lines.hpp"

#define CAF_SUITE host_statements
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;

namespace {

/// Lines are made in this order, which `+` does not promise.
std::string log_of(std::initializer_list<std::string> lines) {
  std::string log;
  for (const std::string& line : lines) log += line;
  return log;
}

constexpr std::string_view each_event = R"({"mode":"event"})";
constexpr std::string_view every_third = R"({"events":"3","intervalNs":"1000000000","mode":"checkpoint"})";

/// One host that runs one cell, and the causes of what is found in its log.
struct fixture {
  signing_key key = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  signing_key other_key = signing_key::generate(signing_algorithm::ed25519, "other-2026");
  key_list keys = keys_of({&key, &other_key});
  reference_chain host{"host-a", "", "", "1767225600000", &key};
  reference_chain run{"host-a", "cell-1", "run-1", "1767225600001", &key};
  verification_options finished;

  fixture() { finished.finished = true; }

  /// Causes in order of their names, each once.
  std::string causes(const std::string& log, const verification_options& options = {}) const {
    const verification_report report = verify_text(log, &keys, options);
    std::vector<std::string> found;
    for (const finding& each : report.findings) {
      CAF_MESSAGE(to_string(each.cause) << " " << each.chain << " " << each.sequence << ": " << each.words);
      found.emplace_back(to_string(each.cause));
    }
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::string all;
    for (const std::string& each : found) all += (all.empty() ? "" : " ") + each;
    return all;
  }

  static std::string signing(std::string_view statement) { return R"({"signing":)" + std::string{statement} + "}"; }

  /// Both chains, begun under `statement`.
  std::string begun(std::string_view statement) {
    std::string log = host.line("host.v1.started", signing(statement), true);
    log += host.run_opened(run.chain());
    return log + run.line("run.v1.started", signing(statement), true);
  }

  std::string ended(std::uint64_t declarations) {
    std::string log = run.ended(declarations);
    log += host.run_closed(run);
    return log + host.host_stopped();
  }

  static std::string place(const reference_chain& chain) {
    return R"("lastDigest":")" + chain.last_digest() + R"(","lastSequence":")" + std::to_string(chain.last_sequence()) +
           '"';
  }

  /// Says that everything of `chains`, as they stand, was removed.
  static std::string removed(reference_chain& host, const std::vector<const reference_chain*>& chains,
                             std::string_view statement, bool open) {
    std::string listed;
    for (const reference_chain* each : chains) {
      listed += (listed.empty() ? "" : ",") + std::string{R"({"chain":")"} + each->chain() + R"(",)" + place(*each) +
                R"(,"open":)" + (open ? "true" : "false") + R"(,"signing":)" + std::string{statement} + "}";
    }
    return host.line("host.v1.evidence_removed",
                     R"({"bytes":"1","chains":[)" + listed + R"(],"firstSegment":"1","lastSegment":"1"})", true);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_statements_tests, fixture)

CAF_TEST(what a host says of another hosts run counts for nothing) {
  const std::string own = log_of({begun(each_event), run.declaration(true), ended(1)});
  CAF_CHECK_EQUAL(causes(own, finished), "");
  reference_chain other{"host-b", "", "", "1767225600000", &other_key};
  const std::string foreign =
      log_of({other.host_started(),
              other.line("host.v1.run_closed",
                         R"({"chain":")" + run.chain() + R"(","lastDigest":"","lastSequence":"9"})", true),
              other.run_opened(run.chain()), other.host_stopped()});
  CAF_CHECK_EQUAL(causes(own + foreign, finished), "foreign");
}

CAF_TEST(a run is opened once and closed once) {
  std::string log = begun(each_event);
  log += host.run_opened(run.chain());
  CAF_CHECK_EQUAL(causes(log), "contradicted");
  CAF_MESSAGE("closed");
  reference_chain second_host{"host-a", "", "", "1767225600000", &key};
  reference_chain twice{"host-a", "cell-1", "run-1", "1767225600001", &key};
  log = log_of({second_host.host_started(), second_host.run_opened(twice.chain()), twice.started(), twice.ended(0)});
  log += log_of({second_host.run_closed(twice), second_host.run_closed(twice), second_host.host_stopped()});
  CAF_CHECK_EQUAL(causes(log, finished), "contradicted");
}

CAF_TEST(a closing says where the run ended) {
  std::string log = log_of({begun(each_event), run.declaration(true)});
  reference_chain earlier = run;
  log += log_of({run.ended(1), host.run_closed(earlier), host.host_stopped()});
  CAF_CHECK_EQUAL(causes(log, finished), "altered");
}

CAF_TEST(a closing of another digest is no closing of this run) {
  std::string log = log_of({begun(each_event), run.ended(0)});
  log += host.line(
      "host.v1.run_closed",
      R"({"chain":")" + run.chain() + R"(","lastDigest":")" + std::string(43, 'A') + R"(=","lastSequence":"2"})", true);
  CAF_CHECK_EQUAL(causes(log + host.host_stopped(), finished), "altered");
}

CAF_TEST(a run that its host never listed is not whole) {
  std::string log = host.line("host.v1.started", signing(each_event), true);
  log += log_of({run.line("run.v1.started", signing(each_event), true), run.ended(0), host.host_stopped()});
  CAF_CHECK_EQUAL(causes(log, finished), "missing");
}

CAF_TEST(where each event is signed one that is not is named) {
  std::string log = log_of({begun(each_event), run.declaration(true), run.declaration(false), run.declaration(true)});
  CAF_CHECK_EQUAL(causes(log + ended(3), finished), "unsigned");
}

CAF_TEST(a checkpoint may lag as far as it says and no further) {
  std::string log = begun(every_third);
  for (int i = 0; i < 3; ++i) log += run.declaration(false);
  log += run.checkpoint();
  for (int i = 0; i < 3; ++i) log += run.declaration(false);
  std::string further = log;
  reference_chain longer = run;
  reference_chain its_host = host;
  CAF_CHECK_EQUAL(causes(log + ended(6), finished), "");
  further += log_of({longer.declaration(false), longer.ended(7), its_host.run_closed(longer), its_host.host_stopped()});
  CAF_CHECK_EQUAL(causes(further, finished), "unsigned");
}

CAF_TEST(no filter hides what is wrong) {
  std::string log = log_of({begun(each_event), run.declaration(true)});
  (void)run.declaration(true);
  log += log_of({run.declaration(true), ended(3)});
  const std::string all = causes(log, finished);
  CAF_CHECK(all.find("missing") != std::string::npos);
  verification_options other = finished;
  other.since = instant_of("2030-01-01T00:00:00Z");
  CAF_CHECK_EQUAL(causes(log, other), all);
  other.since.reset();
  other.until = instant_of("2020-01-01T00:00:00Z");
  CAF_CHECK_EQUAL(causes(log, other), all);
}

CAF_TEST(what a start adopted is a finding where each event is signed) {
  std::string log = log_of({begun(each_event), run.declaration(true)});
  const std::string range = R"("adoptedFrom":"2","adoptedTo":"2")";
  log += run.line("run.v1.adopted", "{" + range + "}", true);
  CAF_CHECK_EQUAL(causes(log), "adopted");
  log += host.line("host.v1.range_adopted", R"({"chain":")" + run.chain() + R"(",)" + range + "}", true);
  CAF_CHECK_EQUAL(causes(log), "adopted");
}

CAF_TEST(what a start adopted is a note where a checkpoint may lag until the log is said to be complete) {
  std::string log = log_of({begun(every_third), run.declaration(false)});
  log += run.line("run.v1.adopted", R"({"adoptedFrom":"2","adoptedTo":"2"})", true);
  CAF_CHECK_EQUAL(causes(log), "");
  CAF_CHECK_EQUAL(verify_text(log, &keys, {}).notes.size(), 1u);
  CAF_CHECK_EQUAL(causes(log + ended(1), finished), "adopted");
}

CAF_TEST(what a host found otherwise than it had left it is a finding) {
  const std::string log = log_of({begun(each_event), run.ended(0), host.run_closed(run)});
  const auto with = [&](std::string_view type, std::string_view data) {
    reference_chain saying = host;
    return causes(log_of({log, saying.line(type, data, true), saying.host_stopped()}), finished);
  };
  CAF_CHECK_EQUAL(with("host.v1.chain_abandoned", R"({"cause":"cut_back","chain":"host-a/cell-9/run-1/1"})"),
                  "contradicted");
  CAF_CHECK_EQUAL(with("host.v1.segments_missing", R"({"firstSegment":"1","lastSegment":"1"})"), "contradicted");
  CAF_CHECK_EQUAL(with("host.v1.line_not_understood", R"({"file":"x","line":"1"})"), "contradicted");
  for (const char* cause : {"absent", "unauthentic", "behind"}) {
    CAF_CHECK_EQUAL(with("host.v1.journal_unusable", R"({"cause":")" + std::string{cause} + R"("})"), "contradicted");
  }
  CAF_MESSAGE("what no process of this version wrote, or what a power cut took, is nobody's doing");
  CAF_CHECK_EQUAL(with("host.v1.journal_unusable", R"({"cause":"former_version"})"), "");
  CAF_CHECK_EQUAL(with("host.v1.evidence_lost", R"({"chain":")" + run.chain() + R"("})"), "");
}

CAF_TEST(what retention took is not missed and what it did not take is) {
  const std::string gone = log_of({begun(each_event), run.declaration(true)});
  std::string log = log_of({removed(host, {&host, &run}, each_event, true), run.declaration(true)});
  log += ended(2);
  CAF_CHECK_EQUAL(causes(gone + log, finished), "");
  CAF_CHECK_EQUAL(causes(log, finished), "");
  CAF_MESSAGE("one event more than it says");
  const std::size_t more = log.find('\n') + 1;
  std::string cut = log;
  cut.erase(more, cut.find('\n', more) + 1 - more);
  CAF_CHECK_EQUAL(causes(cut, finished), "missing");
}

CAF_TEST(a run that retention took as a whole is accounted for) {
  std::string log = log_of({host.host_started(), host.run_opened(run.chain())});
  (void)run.started();
  (void)run.ended(0);
  log += host.run_closed(run);
  reference_chain silent_host = host;
  CAF_CHECK_EQUAL(causes(log + silent_host.host_stopped(), finished), "missing");
  log += log_of({removed(host, {&run}, each_event, false), host.host_stopped()});
  CAF_CHECK_EQUAL(causes(log, finished), "");
}

CAF_TEST(what is left of a chain is held to what its first event said) {
  (void)begun(each_event);
  (void)run.declaration(true);
  std::string log = removed(host, {&host, &run}, each_event, true);
  log += log_of({run.declaration(false), run.declaration(true)});
  CAF_CHECK_EQUAL(causes(log + ended(3), finished), "unsigned");
}

CAF_TEST(a host chain that follows another names its end) {
  std::string log = log_of({begun(each_event), run.ended(0), host.run_closed(run), host.host_stopped()});
  reference_chain next{"host-a", "", "", "1767225700000", &key};
  const auto follow = [&](reference_chain chain, std::uint64_t sequence) {
    const std::string former = R"({"formerChain":")" + host.chain() + R"(","formerDigest":")" + host.last_digest() +
                               R"(","formerSequence":")" + std::to_string(sequence) +
                               R"(","signing":{"mode":"event"}})";
    return log_of({chain.line("host.v1.started", former, true), chain.host_stopped()});
  };
  CAF_CHECK_EQUAL(causes(log + follow(next, host.last_sequence()), finished), "");
  CAF_CHECK_EQUAL(causes(log + follow(next, host.last_sequence() + 1), finished), "missing");
  CAF_CHECK_EQUAL(causes(log + follow(next, host.last_sequence() - 1), finished), "altered");
  CAF_MESSAGE("and one that is not here is missed");
  CAF_CHECK_EQUAL(causes(follow(next, host.last_sequence()), finished), "missing");
}

CAF_TEST_FIXTURE_SCOPE_END()
