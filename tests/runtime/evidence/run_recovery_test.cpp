#define CAF_SUITE run_recovery
#include "tests/runtime/evidence/recovery_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace cellos::test::recovery;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(run_recovery_tests, fixture)

CAF_TEST(what is as expected goes on without a word) {
  declare(3);
  const auto found = recovered();
  CAF_CHECK(found.findings.empty());
  CAF_CHECK(found.closings.empty());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(found.open_runs[0].attribution == *run);
  CAF_CHECK_EQUAL(found.open_runs[0].chain, chain);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 5u);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.appended, 3u);
  CAF_CHECK(!found.open_runs[0].adopted);
  CAF_REQUIRE(found.host_chain.has_value());
  CAF_CHECK_EQUAL(found.host_chain->next_event, 3u);
  CAF_REQUIRE(found.written_by && found.written_by->signing);
  CAF_CHECK(*found.written_by->signing == sealing->statement());
}

CAF_TEST(an ended run leaves nothing) {
  declare(1);
  close();
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  CAF_CHECK(found.findings.empty());
  CAF_CHECK(found.closings.empty());
}

CAF_TEST(the same log in another form is the same log) {
  declare(3);
  auto lines = lines_of(log.text);
  for (std::string& line : lines) {
    line.insert(line.find(",\"source\""), "  ");
    line += "\r";
  }
  log.text = text_of(lines);
  const auto found = recovered();
  CAF_CHECK(found.findings.empty());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 5u);
}

CAF_TEST(what nothing vouches for is adopted on record) {
  declare(3);
  forge(2);
  const auto found = recovered();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 5u);
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->to.sequence, 6u);
  CAF_CHECK(!found.open_runs[0].adopted->to.digest.empty());
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 7u);
  CAF_MESSAGE("the totals count what is in the log");
  CAF_CHECK_EQUAL(found.open_runs[0].totals.appended, 5u);
}

CAF_TEST(another event in the place of the last one is adopted on record) {
  declare(1);
  declare(1);
  cut(1, chain);
  const std::string shortened = log.text;
  std::string other;
  {
    recovery_terms known = terms();
    known.journal.records.pop_back();
    const auto left = recovered_from(shortened, std::move(known)).open_runs.at(0);
    run_ledger forger{run, left, std::make_shared<const host_sealing>(nullptr, nullptr, 1u << 30)};
    forger.summarise_losses(other, clock.now());
    forger.silence(other, clock.now(), {10s, monotonic_time{}, monotonic_time{11s}});
  }
  log.text = shortened + other;
  const auto found = recovered();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 3u);
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->to.sequence, 3u);
}

CAF_TEST(a signature of our own vouches where the journal ends) {
  declare(2);
  const std::size_t known = log.journal.records.size();
  declare(2);
  sink.checkpoint();
  flush(sink, host_chain);
  log.journal.records.resize(known);
  recovery_terms rebooted = terms();
  rebooted.boot_id = "boot-2";
  const auto found = recovered_from(log.text, std::move(rebooted));
  CAF_CHECK(found.findings.empty());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(!found.open_runs[0].adopted);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 7u);
}

CAF_TEST(a journal that was set back is on record) {
  declare(2);
  const std::size_t known = log.journal.records.size();
  declare(2);
  sink.checkpoint();
  flush(sink, host_chain);
  CAF_CHECK(recovered().findings.empty());
  log.journal.records.resize(known);
  const auto found = recovered();
  const auto troubles = of_kind<journal_trouble>(found);
  CAF_REQUIRE_EQUAL(troubles.size(), 1u);
  CAF_CHECK_EQUAL(to_string(troubles[0]), "behind");
  CAF_MESSAGE("the run itself is whole");
  CAF_CHECK_EQUAL(found.findings.size(), 1u);
  CAF_CHECK(!found.open_runs.at(0).adopted);
}

CAF_TEST(a run that is cut back is abandoned and closed where it was) {
  declare(3);
  declare(3);
  host_chain.record(log_blockage{"something else is the last append", 1s});
  cut(4, chain);
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "cut_back");
  CAF_CHECK_EQUAL(abandoned[0].expected.sequence, 7u);
  CAF_CHECK_EQUAL(abandoned[0].found.sequence, 3u);
  CAF_REQUIRE_EQUAL(found.closings.size(), 1u);
  CAF_CHECK_EQUAL(found.closings[0].last_sequence, 7u);
  CAF_CHECK_EQUAL(found.closings[0].last_digest, abandoned[0].expected.digest);
}

CAF_TEST(an append that was noted and not made is no loss) {
  declare(3);
  declare(3);
  cut(3, chain);
  const auto found = recovered();
  CAF_CHECK(found.findings.empty());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 5u);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.appended, 3u);
}

CAF_TEST(what a loss of power took is on record and the chain goes on before it) {
  declare(3);
  log.committed = {1, log.text.size()};
  declare(3);
  declare(1);
  cut(2, chain);
  auto rebooted = terms();
  rebooted.boot_id = "boot-2";
  const auto found = recovered_from(log.text, std::move(rebooted));
  const auto lost = of_kind<lost_events>(found);
  CAF_REQUIRE_EQUAL(lost.size(), 1u);
  CAF_CHECK_EQUAL(lost[0].expected_sequence, 7u);
  CAF_CHECK_EQUAL(lost[0].found_sequence, 6u);
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 7u);
  CAF_MESSAGE("found between two appends, what is in the log is counted");
  CAF_CHECK_EQUAL(found.open_runs[0].totals.appended, 5u);
  CAF_MESSAGE("and what is behind the last whole append is vouched for by nothing");
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 5u);
}

CAF_TEST(what was durable is not lost with the power) {
  declare(3);
  log.committed = {1, log.text.size()};
  declare(3);
  declare(1);
  cut(5, chain);
  auto rebooted = terms();
  rebooted.boot_id = "boot-2";
  const auto abandoned = of_kind<abandoned_chain>(recovered_from(log.text, std::move(rebooted)));
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "cut_back");
}

CAF_TEST(an event of our own that was taken back on record vouches for nothing) {
  declare(1);
  const std::string before = log.text;
  const std::size_t known = log.journal.records.size();
  sink.silence(run, {10s, monotonic_time{}, monotonic_time{11s}});
  flush(sink, host_chain);
  const std::string taken_back = log.text;
  log.text = before;
  log.journal.records.resize(known);
  auto rebooted = recovered_from(log.text, terms());
  run_ledger successor{run, rebooted.open_runs.at(0), sealing};
  std::string lines;
  successor.restarted(lines, clock.now());
  log.append(lines, std::vector{successor.head()});
  CAF_MESSAGE("somebody kept the signed event and puts it back");
  log.text = taken_back;
  const auto found = recovered();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_REQUIRE(found.open_runs[0].adopted.has_value());
  CAF_CHECK_EQUAL(found.open_runs[0].adopted->from, 3u);
}

CAF_TEST(a closed run that is open again is never gone on with) {
  declare(4);
  close();
  host_chain.record(log_blockage{"later", 1s});
  cut(3, chain);
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "was_closed");
  CAF_CHECK_EQUAL(abandoned[0].expected.sequence, 6u);
  CAF_CHECK_EQUAL(abandoned[0].found.sequence, 3u);
  CAF_MESSAGE("it was closed once");
  CAF_CHECK(found.closings.empty());
}

CAF_TEST(a run whose end was replaced is never gone on with) {
  declare(2);
  const recovered_run left = recovered().open_runs.at(0);
  const std::size_t size = log.text.size();
  close();
  const std::string end = log.text.substr(size);
  log.text.resize(size);
  run_ledger forger{run, left, std::make_shared<const host_sealing>(nullptr, nullptr, 1u << 30)};
  forger.restarted(log.text, clock.now());
  log.text += end.substr(end.find('\n') + 1);
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "was_closed");
}

CAF_TEST(a chain that nothing of ours began is abandoned) {
  declare(1);
  run_ledger stranger{std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-9", "run-9", "sha256:bb"}),
                      "host-a/cell-9/run-9/1700000000009", sealing};
  stranger.open(log.text, clock.now(), {"test", 10s, {}});
  const auto found = recovered();
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "unknown_chain");
  CAF_CHECK_EQUAL(abandoned[0].found.sequence, 1u);
  CAF_CHECK_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(found.closings.empty());
}

CAF_TEST(events that do not follow each other end the chain) {
  declare(3);
  host_chain.record(log_blockage{"later", 1s});
  auto lines = lines_of(log.text);
  // run.v1.started is the third line, behind the host's two.
  std::swap(lines[3], lines[4]);
  log.text = text_of(lines);
  const auto found = recovered();
  CAF_CHECK(found.open_runs.empty());
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "broken");
  CAF_REQUIRE_EQUAL(found.closings.size(), 1u);
  CAF_CHECK_EQUAL(found.closings[0].last_sequence, 4u);
}

CAF_TEST(lines that are no events are named) {
  declare(1);
  log.text += "not json\n";
  log.text += "{}\n";
  const auto found = recovered();
  const auto lines = of_kind<unreadable_line>(found);
  CAF_REQUIRE_EQUAL(lines.size(), 2u);
  CAF_CHECK_EQUAL(lines[0].file, "evidence-00000000000000000001.jsonl");
  CAF_CHECK_EQUAL(lines[0].line, 5u);
  CAF_CHECK_EQUAL(found.open_runs.size(), 1u);
}

CAF_TEST(another chain takes the place of a host chain that is not as expected) {
  declare(1);
  host_chain.record(log_blockage{"once", 1s});
  host_chain.record(log_blockage{"twice", 1s});
  declare(1);
  cut(1, host_chain_name);
  const auto found = recovered();
  CAF_CHECK(!found.host_chain.has_value());
  CAF_REQUIRE(found.former.has_value());
  CAF_CHECK_EQUAL(found.former->chain, host_chain_name);
  CAF_CHECK_EQUAL(found.former->end.sequence, 4u);
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(abandoned[0].chain, host_chain_name);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "cut_back");
  CAF_CHECK_EQUAL(found.open_runs.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
