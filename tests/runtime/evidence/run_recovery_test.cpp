#define CAF_SUITE run_recovery
#include "runtime/evidence/run_recovery.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "actors/sink_journal.hpp"
#include "messages/cloud_event.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/recorded_log.hpp"

using namespace cellos;
using namespace cellos::testing;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const signing_key> key(const std::string& id) {
  std::array<std::uint8_t, 32> seed{1, 2, 3};
  seed[0] = static_cast<std::uint8_t>(id.size());
  return std::make_shared<const signing_key>(
      std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, id, seed)));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

template <class What>
std::vector<What> of_kind(const recovery_conclusions& found) {
  std::vector<What> out;
  for (const recovery_finding& each : found.findings) {
    if (const auto* what = std::get_if<What>(&each)) out.push_back(*what);
  }
  return out;
}

/// A host that signs checkpoints, with one run of a few declarations, and what a successor makes of its log.
struct fixture {
  event_sealing_ptr sealing = std::make_shared<const host_sealing>(key("first"), nullptr, 1000);
  manual_clock clock;
  recorded_log log{sealing->statement()};
  std::shared_ptr<chain_epochs> epochs = std::make_shared<chain_epochs>();
  host_chronicle chronicle{"host-a", log, clock, sealing, std::nullopt, *epochs};
  sink_journal sink{log, clock, sealing, &chronicle, epochs};
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
  std::string chain;
  std::uint64_t chunks = 0;

  fixture() {
    chronicle.started("test");
    chain = sink.open_run(run, {"test", 10s, {}});
    sink.flush();
  }

  /// One append.
  void declare(std::size_t declarations) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks;
    chunk->received_at = clock.now();
    chunk->frames = static_cast<std::uint32_t>(declarations);
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(declarations);
    for (guest_declaration& declared : made.declarations) declared.guest_comm = R"(","probeSource":"x)";
    sink.take(made);
    sink.flush();
  }

  void close() {
    sink.close_run(run, {run_end_reason::retired, 0, 1});
    sink.flush();
  }

  recovery_terms terms() const { return {log.journal, own_keys(sealing), "boot-1", 1}; }
  recovery_conclusions recovered() const { return recovered_from(log.text, terms()); }
  recovery_conclusions without_journal(journal_trouble trouble = journal_trouble::absent) const {
    recovery_terms known = terms();
    known.journal = {};
    known.journal.trouble = trouble;
    return recovered_from(log.text, std::move(known));
  }

  /// Of the chain: takes its last `count` lines out of the log.
  void cut(std::size_t count, const std::string& name) {
    auto lines = lines_of(log.text);
    for (; count > 0; --count) {
      const auto last = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& line) {
        return line.find("\"id\":\"" + name + "/") != std::string::npos;
      });
      lines.erase(std::next(last).base());
    }
    log.text = text_of(lines);
  }

  /// Somebody without the key puts declarations behind the run's events, with all links right.
  void forge(std::size_t declarations) {
    recovery_terms known = terms();
    known.keys = {};
    const auto left = recovered_from(log.text, std::move(known)).open_runs.at(0);
    run_ledger forger{run, left, std::make_shared<const host_sealing>(nullptr, nullptr, 1u << 30)};
    batch made;
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = 1;
    chunk->frames = static_cast<std::uint32_t>(declarations);
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(declarations);
    forger.take(log.text, made);
  }

  std::string host_chain() const { return chronicle_name; }
  std::string chronicle_name = chronicle.end().chain;
};

}  // namespace

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
  sink.flush();
  log.journal.records.resize(known);
  const auto found = recovered();
  CAF_CHECK(found.findings.empty());
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(!found.open_runs[0].adopted);
  CAF_CHECK_EQUAL(found.open_runs[0].next_event, 7u);
}

CAF_TEST(a run that is cut back is abandoned and closed where it was) {
  declare(3);
  declare(3);
  chronicle.evidence_blocked("something else is the last append", 1s);
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
  const auto found = recovered_from(log.text, rebooted);
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
  const auto abandoned = of_kind<abandoned_chain>(recovered_from(log.text, rebooted));
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "cut_back");
}

CAF_TEST(an event of our own that was taken back on record vouches for nothing) {
  declare(1);
  const std::string before = log.text;
  const std::size_t known = log.journal.records.size();
  sink.silence(run, {10s, monotonic_time{}, monotonic_time{11s}});
  sink.flush();
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
  chronicle.evidence_blocked("later", 1s);
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
  chronicle.evidence_blocked("later", 1s);
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
  chronicle.evidence_blocked("once", 1s);
  chronicle.evidence_blocked("twice", 1s);
  declare(1);
  cut(1, host_chain());
  const auto found = recovered();
  CAF_CHECK(!found.host_chain.has_value());
  CAF_REQUIRE(found.former.has_value());
  CAF_CHECK_EQUAL(found.former->chain, host_chain());
  CAF_CHECK_EQUAL(found.former->end.sequence, 4u);
  const auto abandoned = of_kind<abandoned_chain>(found);
  CAF_REQUIRE_EQUAL(abandoned.size(), 1u);
  CAF_CHECK_EQUAL(abandoned[0].chain, host_chain());
  CAF_CHECK_EQUAL(to_string(abandoned[0].cause), "cut_back");
  CAF_CHECK_EQUAL(found.open_runs.size(), 1u);
}

CAF_TEST(without a journal only signatures vouch) {
  declare(2);
  sink.checkpoint();
  sink.flush();
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
  std::string text = log.text;
  for (std::size_t at; (at = text.find(R"("signing":)")) != std::string::npos;) {
    const std::size_t end = text.find('}', at) + 1;
    text.erase(at, end - at + (text[end] == ',' ? 1 : 0));
    if (text[at] == '}' && text[at - 1] == ',') text.erase(at - 1, 1);
  }
  recovery_terms known = terms();
  known.journal = {};
  known.journal.trouble = journal_trouble::absent;
  const auto found = recovered_from(text, std::move(known));
  CAF_REQUIRE_EQUAL(of_kind<journal_trouble>(found).size(), 1u);
  CAF_CHECK_EQUAL(to_string(of_kind<journal_trouble>(found)[0]), "former_version");
  CAF_REQUIRE(found.written_by.has_value());
  CAF_CHECK(!found.written_by->signing);
}

CAF_TEST(an empty log without a journal is a new one) {
  log.text.clear();
  const auto found = without_journal();
  CAF_CHECK(found.findings.empty());
  CAF_CHECK(!found.written_by);
  CAF_CHECK(!found.former);
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
  chronicle.run_opened("host-a/cell-2/run-1/1700000000001");
  log.journal.records.pop_back();
  const auto found = recovered();
  CAF_REQUIRE_EQUAL(found.closings.size(), 1u);
  CAF_CHECK_EQUAL(found.closings[0].chain, "host-a/cell-2/run-1/1700000000001");
  CAF_CHECK_EQUAL(found.closings[0].last_sequence, 0u);
}

CAF_TEST(silence and losses are remembered without a journal) {
  declare(1);
  sink.silence(run, {10s, monotonic_time{}, monotonic_time{11s}});
  sink.quarantine(run, {2, 7, "x.bin"});
  sink.flush();
  const auto found = without_journal();
  CAF_REQUIRE_EQUAL(found.open_runs.size(), 1u);
  CAF_CHECK(found.open_runs[0].silence_told);
  CAF_CHECK(!found.open_runs[0].resumed);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.quarantined, 7u);
  CAF_CHECK_EQUAL(found.open_runs[0].totals.in_flight(), 0u);
}

CAF_TEST(members of another type than ours are taken as absent) {
  const auto line_of = [](const std::string& chain, const std::string& type, const std::string& data) {
    return R"({"specversion":"1.0","id":")" + chain + R"(/00000000000000000001","source":"s","type":")" +
           std::string{event_type_prefix} + type + R"(","chain":")" + chain +
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
  sink.flush();
  CAF_CHECK_EQUAL(recovered().highest_epoch, epoch_of(chain));
  CAF_CHECK_EQUAL(without_journal().highest_epoch, epoch_of(chain));
}

CAF_TEST_FIXTURE_SCOPE_END()
