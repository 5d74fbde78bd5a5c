#define CAF_SUITE retention
#include "runtime/evidence/retention.hpp"

#include <spdlog/sinks/null_sink.h>

#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "actors/host_event_chain.hpp"
#include "actors/run_ledger.hpp"
#include "caf/test/dsl.hpp"
#include "runtime/evidence/observed_log.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

using nlohmann::json;

event_sealing_ptr sealing_of_every(std::uint64_t events) {
  const auto key = std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, "k"));
  return std::make_shared<const host_sealing>(key, nullptr, events);
}

host_stamp_ptr stamp_of(const std::string& cell) {
  return std::make_shared<const host_stamp>(host_stamp{"host-a", cell, "run-1", "sha256:aa"});
}

/// A daemon's log and what belongs to it, in one thread.
struct world {
  explicit world(const std::filesystem::path& dir, event_sealing_ptr sealed_with, file_system& files)
      : sealing(std::move(sealed_with)) {
    auto opening = segment_log::open({{dir, fsync_policy::never, 1h, 64'000, 8'000}}, files);
    if (!opening.log) CAF_FAIL(opening.refusal);
    log = std::move(opening.log);
    observed.emplace(
        *log, open, [](auto) {}, [] {});
    host_chain.emplace("host-a", *observed, clock, sealing, std::nullopt, epochs);
    const auto state = retention_file{log->directory()}.read({journal_mac_of(sealing)});
    const auto record = [this](const joint_append_ptr& what) { return host_chain->append(*what); };
    work.emplace(retention::surroundings{*log, record, events, open}, state.value_or(retention_state{}),
                 journal_mac_of(sealing));
    log->leave_removal([this] { ++woken; });
    host_chain->record(daemon_start{"test"});
  }

  /// Whatever the limit says: it is up to the test when there is to be room.
  void append(const joint_append& what) { CAF_CHECK(!host_chain->append(what)); }

  run_ledger& open_run(const std::string& cell) {
    run_ledger& ledger =
        runs.emplace(cell, run_ledger{stamp_of(cell), "host-a/" + cell + "/run-1/1", sealing}).first->second;
    std::string lines;
    ledger.open(lines, clock.now(), {"test", 10s, {}});
    append({{run_begin_mark{ledger.chain()}}, lines, {ledger.head()}, {}, true});
    return ledger;
  }

  void declare(const std::string& cell, std::size_t declarations) {
    run_ledger& ledger = runs.at(cell);
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks[cell];
    chunk->received_at = clock.now();
    chunk->frames = static_cast<std::uint32_t>(declarations);
    batch made;
    made.attribution = stamp_of(cell);
    made.chunk = chunk;
    made.declarations.resize(declarations);
    std::string lines;
    CAF_REQUIRE(ledger.take(lines, made) == run_ledger::result::taken);
    const std::vector<chain_head> heads{ledger.head()};
    CAF_CHECK(!observed->append_from_reserve(lines, heads));
  }

  void close_run(const std::string& cell) {
    run_ledger& ledger = runs.at(cell);
    std::string lines;
    ledger.close(lines, clock.now(), run_end_reason::retired, ledger.totals().received, 1);
    append({{}, lines, {ledger.head()}, {ledger.end_mark()}, true});
    runs.erase(cell);
  }

  std::vector<json> lines() const {
    std::vector<json> all;
    std::error_code failure;
    for (const auto& each : list_segments(log->directory().path(), failure)) {
      std::ifstream file{log->directory().segment_path(each.segment)};
      for (std::string line; std::getline(file, line);) all.push_back(json::parse(line));
    }
    return all;
  }

  event_sealing_ptr sealing;
  test::manual_clock clock;
  operator_events events{std::make_shared<spdlog::logger>("t", std::make_shared<spdlog::sinks::null_sink_mt>()),
                         log_format::text};
  open_chains open;
  std::unique_ptr<segment_log> log;
  chain_epochs epochs;
  std::optional<observed_log> observed;
  std::optional<host_event_chain> host_chain;
  std::optional<retention> work;
  int woken = 0;
  std::map<std::string, run_ledger> runs;
  std::map<std::string, std::uint64_t> chunks;
};

/// What the log itself says of each chain's front: the last position that the newest removal took.
std::map<std::string, json> listed_in(const std::vector<json>& lines) {
  std::map<std::string, json> listed;
  for (const json& line : lines) {
    if (!line["type"].get<std::string>().ends_with("host.v1.evidence_removed")) continue;
    for (const json& chain : line["data"]["chains"]) listed[chain["chain"]] = chain;
  }
  return listed;
}

/// Every chain in the log begins at 1, or right behind what the log itself says was removed. Not what it said last:
/// that may not be removed yet.
void check_fronts(const std::vector<json>& lines) {
  std::set<std::string> ends;
  const auto place = [](const std::string& chain, const std::string& sequence, const json& digest) {
    return chain + " " + sequence + " " + (digest.is_string() ? digest.get<std::string>() : "");
  };
  for (const json& line : lines) {
    if (!line["type"].get<std::string>().ends_with("host.v1.evidence_removed")) continue;
    for (const json& each : line["data"]["chains"]) {
      ends.insert(place(each["chain"], each["lastSequence"], each.value("lastDigest", json{})));
    }
  }
  std::map<std::string, std::uint64_t> next;
  for (const json& line : lines) {
    const std::string chain = line["chain"];
    const std::uint64_t sequence = std::stoull(line["sequence"].get<std::string>());
    const auto known = next.find(chain);
    if (known != next.end()) {
      CAF_CHECK_EQUAL(sequence, known->second);
    } else if (sequence != 1) {
      const std::string before = place(chain, std::to_string(sequence - 1), line.value("prevdigest", json{}));
      if (!ends.contains(before)) CAF_ERROR("begins unexplained behind " << before);
    }
    next[chain] = sequence + 1;
  }
}

struct fixture {
  memory_directory dir;
  faulty_file_system files;
  std::filesystem::path where() const { return dir / "log"; }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(retention_tests, fixture)

CAF_TEST(what_is_removed_is_on_record_whatever_the_log_goes_through) {
  for (const auto& sealing : {event_sealing_ptr{}, sealing_of_every(1), sealing_of_every(7)}) {
    std::filesystem::remove_all(where());
    world host{where(), sealing, files};
    host.open_run("quiet");
    host.declare("quiet", 1);
    host.open_run("busy");
    for (int i = 0; i < 60; ++i) {
      host.declare("busy", 4);
      if (i % 9 == 4) {
        const std::string brief = "brief-" + std::to_string(i);
        host.open_run(brief);
        host.declare(brief, 1);
        host.close_run(brief);
      }
      CAF_CHECK(!host.work->work());
      check_fronts(host.lines());
    }
    CAF_CHECK(host.log->statistics().segments_removed > 3);
    CAF_CHECK(host.log->statistics().bytes_on_disk <= 64'000u);
    const auto listed = listed_in(host.lines());
    CAF_REQUIRE(listed.contains("host-a/quiet/run-1/1"));
    const json& quiet = listed.at("host-a/quiet/run-1/1");
    CAF_CHECK(quiet["open"] == true);
    CAF_CHECK_EQUAL(quiet["lastSequence"], "2");
    CAF_CHECK_EQUAL(quiet["run"]["appended"], "1");
    CAF_CHECK_EQUAL(quiet["run"]["specSignatureHash"], "sha256:aa");
    CAF_CHECK(listed.at("host-a/busy/run-1/1")["open"] == true);
    CAF_CHECK(!listed.at("host-a/busy/run-1/1").contains("run"));
  }
}

CAF_TEST(the_next_process_goes_on_with_what_this_one_removed) {
  const auto sealing = sealing_of_every(1);
  retention_state left;
  {
    world host{where(), sealing, files};
    host.open_run("quiet");
    host.open_run("busy");
    for (int i = 0; i < 40; ++i) {
      host.declare("busy", 6);
      CAF_CHECK(!host.work->work());
    }
    left = host.work->state();
    CAF_CHECK(left.first_segment > 1);
    CAF_CHECK(left.chains.contains("host-a/quiet/run-1/1"));
  }
  world next{where(), sealing, files};
  CAF_CHECK(next.work->state() == left);
  std::error_code failure;
  const auto present = list_segments(where(), failure);
  CAF_CHECK(missing_segments(present, left.first_segment).empty());
  std::filesystem::remove(where() / segment_file_name(left.first_segment));
  const auto missing = missing_segments(list_segments(where(), failure), left.first_segment);
  CAF_REQUIRE_EQUAL(missing.size(), 1u);
  CAF_CHECK(missing[0] == (segment_range{left.first_segment, left.first_segment}));
}

CAF_TEST(whichever_step_fails_nothing_is_removed_that_is_not_on_record) {
  for (const auto call : {file_call::open, file_call::pread, file_call::write, file_call::fdatasync, file_call::fsync,
                          file_call::rename, file_call::unlink}) {
    for (int first = 1; first < 40; ++first) {
      std::filesystem::remove_all(where());
      files.fault = nullptr;
      world host{where(), sealing_of_every(5), files};
      host.open_run("quiet");
      host.open_run("busy");
      int calls = 0;
      for (int i = 0; i < 25; ++i) {
        host.declare("busy", 6);
        const std::uint64_t removed = host.log->statistics().segments_removed;
        files.fault = [&](file_call made) { return made == call && ++calls == first ? EIO : 0; };
        const bool failed = host.work->work();
        files.fault = nullptr;
        if (failed || host.log->statistics().segments_removed != removed) check_fronts(host.lines());
      }
      CAF_CHECK(!host.work->work());
      CAF_CHECK(host.log->statistics().segments_removed > 1);
      check_fronts(host.lines());
      if (calls < first) break;
    }
  }
}

CAF_TEST(a_live_segment_that_is_taken_away_is_on_record) {
  world host{where(), sealing_of_every(1), files};
  host.open_run("one");
  const std::uint64_t live = host.log->current_segment();
  std::filesystem::rename(host.log->directory().segment_path(live), dir / "away");
  host.declare("one", 1);
  CAF_CHECK(!host.work->work());
  const auto lines = host.lines();
  const auto said = std::find_if(lines.begin(), lines.end(), [](const json& line) {
    return line["type"].get<std::string>().ends_with("host.v1.segments_missing");
  });
  CAF_REQUIRE(said != lines.end());
  CAF_CHECK_EQUAL((*said)["data"]["firstSegment"], std::to_string(live));
  CAF_CHECK_EQUAL((*said)["data"]["lastSegment"], std::to_string(live));
  CAF_CHECK(
      std::any_of(lines.begin(), lines.end(), [](const json& line) { return line["data"].contains("probeSource"); }));
}

CAF_TEST(a_long_listing_is_parted_and_complete) {
  world host{where(), nullptr, files};
  for (int i = 0; i < 100; ++i) {
    host.open_run("c" + std::to_string(i));
    (void)host.work->work();
  }
  std::size_t parts = 0;
  for (const json& line : host.lines()) {
    if (!line["type"].get<std::string>().ends_with("host.v1.evidence_removed")) continue;
    parts = std::max<std::size_t>(parts, std::stoull(line["data"]["parts"].get<std::string>()));
    CAF_CHECK(line["data"]["chains"].size() <= 48u);
  }
  CAF_CHECK(parts > 1);
  check_fronts(host.lines());
}

CAF_TEST(missing_segments_are_those_behind_what_retention_took) {
  CAF_CHECK(missing_segments({{3, 1}, {4, 1}}, 3).empty());
  // About to be removed when the process died.
  CAF_CHECK(missing_segments({{2, 1}, {3, 1}}, 3).empty());
  CAF_CHECK((missing_segments({{5, 1}}, 3) == std::vector<segment_range>{{3, 4}}));
  CAF_CHECK((missing_segments({{1, 1}, {4, 1}, {6, 1}}, 1) == std::vector<segment_range>{{2, 3}, {5, 5}}));
  CAF_CHECK((missing_segments({{1, 0}}, 7) == std::vector<segment_range>{{7, 7}}));
  CAF_CHECK(missing_segments({}, 1).empty());
}

CAF_TEST(what_retention_notes_is_read_only_as_it_was_written) {
  const auto mac = journal_mac_of(nullptr);
  const retention_state state{7, {{"h/c/r/1", {12, "abc="}}, {"h/1", {3, ""}}}};
  const std::string text = to_text(state, *mac);
  CAF_CHECK(parse_retention_state(text, *mac) == state);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CAF_CHECK(!parse_retention_state(changed, *mac));
    CAF_CHECK(!parse_retention_state(text.substr(0, i), *mac));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
