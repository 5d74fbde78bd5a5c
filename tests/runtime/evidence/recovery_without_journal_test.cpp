#define CAF_SUITE recovery_without_journal
#include "tests/runtime/evidence/recovery_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::test::recovery;
using namespace std::chrono_literals;

namespace {

/// As if every event that says how its chain is sealed were of a version that did not, or removed.
std::string without_statements(std::string text) {
  for (std::size_t at; (at = text.find(R"("signing":)")) != std::string::npos;) {
    const std::size_t end = text.find('}', at) + 1;
    text.erase(at, end - at + (text[end] == ',' ? 1 : 0));
    if (text[at] == '}' && text[at - 1] == ',') text.erase(at - 1, 1);
  }
  return text;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(recovery_without_journal_tests, fixture)

CAF_TEST(without a journal only signatures vouch) {
  declare(2);
  sink.checkpoint();
  flush(sink, host_chain);
  declare(3);
  const auto found = without_journal();
  CAF_CHECK_EQUAL(of_kind<journal_trouble>(found).size(), 1u);
  CAF_CHECK_EQUAL(to_string(of_kind<journal_trouble>(found)[0]), "absent");
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 5u);
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->to.sequence, 7u);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.appended, 5u);
  CAF_CHECK(found.host_chain.has_value());
}

CAF_TEST(a forged signature vouches for nothing) {
  declare(1);
  forge(1);
  const auto signature_of = [](const std::string& line) {
    const std::size_t begin = line.find(",\"dssematerial\"");
    return line.substr(begin, line.find(",\"data\"") - begin);
  };
  auto lines = lines_of(log.text);
  lines.back().insert(lines.back().find(",\"data\""), signature_of(lines[0]));
  log.text = text_of(lines);
  const auto found = without_journal();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 2u);
}

CAF_TEST(without a journal the host chain still closes runs for good) {
  declare(3);
  close();
  cut(2, chain);
  const auto found = without_journal(journal_trouble::unauthentic);
  CAF_CHECK(found.open_runs.empty());
  CAF_CHECK_EQUAL(to_string(of_kind<journal_trouble>(found).at(0)), "unauthentic");
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "was_closed");
}

CAF_TEST(a log of a former version has no journal) {
  declare(2);
  const std::string text = without_statements(log.text);
  recovery_terms known = terms();
  known.journal = {};
  known.journal.trouble = journal_trouble::absent;
  const auto found = recovered_from(text, std::move(known));
  CAF_REQUIRE_EQUAL(of_kind<journal_trouble>(found).size(), 1u);
  CAF_CHECK_EQUAL(to_string(of_kind<journal_trouble>(found)[0]), "former_version");
  CAF_REQUIRE(found.written_by.has_value());
  CAF_CHECK(!found.written_by->signing);
}

CAF_TEST(a log of which retention took the first events had a journal) {
  declare(2);
  CAF_REQUIRE(!host_chain.record(evidence_removal{1, 1, 10, {}}));
  recovery_terms known = terms();
  known.journal = {};
  known.journal.trouble = journal_trouble::absent;
  const auto found = recovered_from(without_statements(log.text), std::move(known));
  CAF_REQUIRE_EQUAL(of_kind<journal_trouble>(found).size(), 1u);
  CAF_CHECK_EQUAL(to_string(of_kind<journal_trouble>(found)[0]), "absent");
}

CAF_TEST(an empty log without a journal is a new one) {
  log.text.clear();
  const auto found = without_journal();
  CAF_CHECK(found.findings.empty());
  CAF_CHECK(!found.written_by);
  CAF_CHECK(!found.former);
}

CAF_TEST(an empty log beside a journal that is not ours is no new one) {
  recovery_terms known = terms();
  known.journal = {};
  known.journal.trouble = journal_trouble::unauthentic;
  const auto troubles = of_kind<journal_trouble>(recovered_from("", std::move(known)));
  CAF_REQUIRE_EQUAL(troubles.size(), 1u);
  CAF_CHECK_EQUAL(to_string(troubles[0]), "unauthentic");
}

CAF_TEST(an empty log beside a journal lost everything) {
  declare(1);
  declare(1);
  log.text.clear();
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  CAF_CHECK_EQUAL(of_kind<abandoned_chain>(found).size(), 2u);
  CAF_REQUIRE(found.former.has_value());
}

CAF_TEST(a run that was opened on record without a line is closed at nothing) {
  host_chain.record(run_begin_mark{"host-a/cell-2/run-1/1700000000001"});
  log.journal.records.pop_back();
  const auto found = recovered();
  CAF_REQUIRE_EQUAL(found.closings.size(), 1u);
  CAF_CHECK_EQUAL(found.closings[0].chain, "host-a/cell-2/run-1/1700000000001");
  CAF_CHECK_EQUAL(found.closings[0].last_sequence, 0u);
}

CAF_TEST(silence and losses are remembered without a journal) {
  declare(1);
  sink.silence(run, {10s, monotonic_time{}, monotonic_time{11s}});
  sink.quarantine(run, {2, 7, "x.bin"}, {});
  flush(sink, host_chain);
  const auto found = without_journal();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(found.open_runs[0].silence_told);
  CAF_CHECK(!found.open_runs[0].resumed);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.quarantined, 7u);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.in_flight(), 0u);
}

CAF_TEST(members of another type than ours are taken as absent) {
  const auto line_of = [](const std::string& run_chain, const std::string& type, const std::string& data) {
    return R"({"specversion":"1.0","id":")" + run_chain + R"(/00000000000000000001","source":"s","type":")" +
           std::string{event_type_prefix} + type + R"(","chain":")" + run_chain +
           R"(","sequence":"00000000000000000001","data":)" + data + "}\n";
  };
  recovery_terms known;
  known.journal.trouble = journal_trouble::absent;
  const auto found = recovered_from(
      line_of("h/a/r/1", "run.v1.started", R"({"specSignatureHash":7,"keyId":[],"signing":[]})") +
          line_of("h/b/r/1", "guest.v1.telemetry_dropped", R"({"reason":"frames_refused","refused":3})") +
          line_of("h/1", "host.v1.run_opened", R"({"keyId":{},"chain":null})"),
      std::move(known));
  CAF_CHECK_EQUAL(found.open_runs.size(), 2u);
  CAF_CHECK(found.host_chain.has_value());
}

CAF_TEST(the highest epoch is what any chain has) {
  clock.time += 1h;
  close();
  run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-2", "run-1", "sha256:aa"});
  chain = sink.open_run(run, {"test", 10s, {}});
  flush(sink, host_chain);
  CAF_CHECK_EQUAL(recovered().highest_epoch, epoch_of(chain));
  CAF_CHECK_EQUAL(without_journal().highest_epoch, epoch_of(chain));
}

CAF_TEST_FIXTURE_SCOPE_END()
