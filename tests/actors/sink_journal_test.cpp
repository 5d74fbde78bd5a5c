#define CAF_SUITE sink_journal
#include "actors/sink_journal.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "caf/test/dsl.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/line_digest.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/plain_sealing.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

/// Takes little at a time, and remembers each append by itself.
class small_log final : public evidence_log {
 public:
  struct taken {
    std::string lines;
    std::vector<chain_head> heads;
  };

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override {
    if (takes == 0) return std::make_error_code(std::errc::no_space_on_device);
    --takes;
    appends.push_back({std::string{lines}, {heads.begin(), heads.end()}});
    return {};
  }
  std::size_t largest_append() const override { return largest; }

  std::size_t largest = 8'000;
  int takes = 1'000'000;
  std::vector<taken> appends;
};

struct fixture {
  small_log log;
  test::manual_clock clock;
  std::vector<host_stamp_ptr> runs;
  std::map<host_stamp_ptr, std::uint64_t> chunks;

  host_stamp_ptr open(sink_journal& journal, const std::string& cell) {
    runs.push_back(std::make_shared<const host_stamp>(host_stamp{"host-a", cell, "run-1", "sha256:aa"}));
    journal.open_run(runs.back(), {"test", 10s, {}});
    return runs.back();
  }

  batch declarations(const host_stamp_ptr& run, std::size_t count) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks[run];
    chunk->received_at = clock.now();
    chunk->frames = static_cast<std::uint32_t>(count);
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(count);
    return made;
  }

  /// Every append is small, and its heads are where its lines leave each chain.
  void check_appends() const {
    std::map<std::string, std::string> last_lines;
    std::map<std::string, std::uint64_t> appended;
    for (const small_log::taken& each : log.appends) {
      CAF_CHECK(each.lines.size() <= log.largest);
      std::istringstream lines{each.lines};
      std::set<std::string> in_this;
      for (std::string line; std::getline(lines, line);) {
        const auto event = nlohmann::json::parse(line);
        const std::string chain = event["chain"];
        const std::uint64_t sequence = std::stoull(event["sequence"].get<std::string>());
        if (const auto before = last_lines.find(chain); before != last_lines.end()) {
          const auto former = nlohmann::json::parse(before->second)["sequence"].get<std::string>();
          CAF_CHECK_EQUAL(sequence, std::stoull(former) + 1);
        }
        last_lines[chain] = line;
        appended[chain] += event["data"].contains("probeSource") ? 1 : 0;
        in_this.insert(chain);
      }
      for (const std::string& chain : in_this) {
        const auto head = std::find_if(each.heads.begin(), each.heads.end(),
                                       [&](const chain_head& known) { return known.position.chain == chain; });
        CAF_REQUIRE(head != each.heads.end());
        const auto last = nlohmann::json::parse(last_lines[chain])["sequence"].get<std::string>();
        CAF_CHECK_EQUAL(head->position.next_event, std::stoull(last) + 1);
        if (head->position.sealed) CAF_CHECK(head->position.digest == line_digest(last_lines[chain]));
        CAF_CHECK_EQUAL(head->run->totals.appended, appended[chain]);
        CAF_CHECK(head->run->totals.received >= appended[chain]);
      }
    }
  }

  std::uint64_t declared() const {
    std::uint64_t count = 0;
    for (const small_log::taken& each : log.appends) {
      for (std::size_t at = each.lines.find("\"probeSource\""); at != std::string::npos;
           at = each.lines.find("\"probeSource\"", at + 1)) {
        ++count;
      }
    }
    return count;
  }
};

event_sealing_ptr sealing_of_every(std::uint64_t events) {
  const auto key = std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, "k"));
  return std::make_shared<const host_sealing>(key, nullptr, events);
}

/// All that it declares, at no time in particular: without a share nothing is refused.
run_ledger::result take(sink_journal& journal, const batch& arrived) {
  return journal.take(arrived.attribution, arrived, monotonic_time{}, arrived.declarations.size());
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(sink_journal_tests, fixture)

CAF_TEST(what_is_more_than_the_log_takes_is_appended_in_pieces_each_with_its_heads) {
  for (const auto& sealing : {event_sealing_ptr{}, sealing_of_every(1), sealing_of_every(16)}) {
    log.appends.clear();
    chunks.clear();
    sink_journal journal{log, clock, sealing};
    const auto one = open(journal, "c1");
    const auto two = open(journal, "c2");
    CAF_CHECK(take(journal, declarations(two, 3)) == run_ledger::result::taken);
    CAF_CHECK(take(journal, declarations(one, 100)) == run_ledger::result::taken);
    CAF_CHECK(take(journal, declarations(two, 50)) == run_ledger::result::taken);
    journal.checkpoint();
    CAF_CHECK(!journal.flush());
    CAF_CHECK(log.appends.size() > 10);
    check_appends();
    CAF_CHECK_EQUAL(declared(), 153u);
    CAF_CHECK_EQUAL(journal.pending_bytes(), 0u);
  }
}

CAF_TEST(a_log_that_takes_some_pieces_gets_the_others_later_and_none_twice) {
  for (int takes = 0; takes < 12; ++takes) {
    log.appends.clear();
    chunks.clear();
    sink_journal journal{log, clock, sealing_of_every(4)};
    const auto one = open(journal, "c1");
    CAF_CHECK(take(journal, declarations(one, 60)) == run_ledger::result::taken);
    log.takes = takes;
    CAF_CHECK(journal.flush());
    CAF_CHECK(take(journal, declarations(one, 5)) == run_ledger::result::taken);
    log.takes = 1'000'000;
    CAF_CHECK(!journal.flush());
    check_appends();
    CAF_CHECK_EQUAL(declared(), 65u);
  }
}

CAF_TEST(many_small_changes_are_parted_as_well) {
  sink_journal journal{log, clock, sealing_of_every(1000)};
  for (int i = 0; i < 60; ++i) {
    const auto run = open(journal, "c" + std::to_string(i));
    (void)take(journal, declarations(run, 1));
  }
  journal.checkpoint();
  for (const auto& run : runs) (void)journal.close_run(run, {run_end_reason::retired, 1, 1});
  CAF_CHECK(!journal.flush());
  CAF_CHECK(log.appends.size() > 10);
  check_appends();
}

CAF_TEST(what_fits_is_one_append) {
  log.largest = 1 << 20;
  sink_journal journal{log, clock};
  const auto one = open(journal, "c1");
  (void)take(journal, declarations(one, 100));
  CAF_CHECK(!journal.flush());
  CAF_CHECK_EQUAL(log.appends.size(), 1u);
  check_appends();
}

CAF_TEST(lines_with_which_a_run_begins_or_ends_are_for_the_host_chain) {
  log.largest = 1 << 20;
  sink_journal journal{log, clock, nullptr, "SINK"};
  const auto one = open(journal, "c1");
  (void)take(journal, declarations(one, 2));
  CAF_CHECK(!journal.flush());
  CAF_CHECK(log.appends.empty());
  const joint_append_ptr first = journal.for_host_chain();
  CAF_REQUIRE(first != nullptr);
  CAF_REQUIRE_EQUAL(first->before.size(), 1u);
  CAF_CHECK(std::get<run_begin_mark>(first->before[0]).chain == first->heads.at(0).position.chain);
  CAF_CHECK_EQUAL(std::count(first->lines.begin(), first->lines.end(), '\n'), 3);
  CAF_CHECK_EQUAL(journal.bytes_written(), 0u);

  CAF_MESSAGE("nothing overtakes it and the next successor finds the same");
  (void)take(journal, declarations(one, 1));
  CAF_CHECK(!journal.flush());
  CAF_CHECK(log.appends.empty());
  CAF_CHECK(journal.for_host_chain() == first);
  const std::uint64_t made = journal.bytes_made();
  journal.appended_by_host_chain();
  CAF_CHECK_EQUAL(journal.bytes_written(), first->lines.size());
  CAF_CHECK(!journal.flush());
  CAF_CHECK_EQUAL(log.appends.size(), 1u);
  CAF_CHECK(journal.for_host_chain() == nullptr);
  CAF_CHECK_EQUAL(journal.bytes_written(), made);
  CAF_CHECK(!journal.has_pending());

  (void)journal.close_run(one, {run_end_reason::retired, 3, 1});
  CAF_CHECK(!journal.flush());
  CAF_REQUIRE(journal.for_host_chain() != nullptr);
  CAF_CHECK_EQUAL(journal.for_host_chain()->number, first->number + 1);
  CAF_REQUIRE_EQUAL(journal.for_host_chain()->behind.size(), 1u);
  CAF_CHECK(std::holds_alternative<run_end_mark>(journal.for_host_chain()->behind[0]));
}

CAF_TEST(an_end_that_cannot_be_said_leaves_the_run_open) {
  log.largest = 1 << 20;
  const auto script = std::make_shared<test::seal_script>();
  sink_journal journal{log, clock, std::make_shared<const test::plain_sealing>("k", "", 1, script), "SINK"};
  const auto one = open(journal, "c1");
  (void)take(journal, declarations(one, 2));
  const std::uint64_t before = journal.bytes_made();
  script->has_no_text = true;
  CAF_CHECK(test::fails_to_sign([&] { (void)journal.close_run(one, {run_end_reason::retired, 2, 1}); }));
  CAF_CHECK_EQUAL(journal.bytes_made(), before);
  script->has_no_text = false;
  CAF_CHECK(take(journal, declarations(one, 1)) == run_ledger::result::taken);
  const run_totals totals = journal.close_run(one, {run_end_reason::retired, 3, 1});
  CAF_CHECK_EQUAL(totals.appended, 3u);
  CAF_CHECK(!journal.flush());
  CAF_REQUIRE(journal.for_host_chain() != nullptr);
  const joint_append& all = *journal.for_host_chain();
  CAF_CHECK_EQUAL(all.behind.size(), 1u);
  CAF_CHECK_EQUAL(all.lines.find("run.v1.ended"), all.lines.rfind("run.v1.ended"));
  const auto lines = static_cast<std::uint64_t>(std::count(all.lines.begin(), all.lines.end(), '\n'));
  CAF_CHECK_EQUAL(all.heads.at(0).position.next_event, lines + 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
