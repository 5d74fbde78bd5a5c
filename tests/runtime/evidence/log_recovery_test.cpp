// ctest: TIMEOUT 300
#define CAF_SUITE log_recovery
#include <caf/test/dsl.hpp>

#include <spdlog/sinks/null_sink.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "actors/sink_journal.hpp"
#include "runtime/daemon/restart_recovery.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "runtime/signing/journal_key.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/simulation/log_checker.hpp"
#include "tests/support/files.hpp"
#include "tests/support/flushed_journal.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const signing_key> a_key() {
  const std::array<std::uint8_t, 32> seed{7};
  return std::make_shared<const signing_key>(
      std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, "the-key", seed)));
}

key_list public_keys() {
  key_list keys;
  keys.add("the-key", signing_algorithm::ed25519, a_key()->public_key());
  return keys;
}

/// One process: a log, the host's chain and a SINK's journal. What a call after the killing one would have done is not
/// done: to the directory it is as if the process had been killed there.
class process {
 public:
  process(const memory_directory& dir, test::manual_clock& clock, fsync_policy fsync, file_system& files,
          const std::string& boot_id = "boot-1")
      : dir_(dir), clock_(clock), files_(files) {
    options_.dir = dir.path();
    options_.fsync = fsync;
    options_.segment_bytes = 6000;
    options_.max_bytes = 1 << 20;
    options_.journal = journal_terms{{"host-a", statement_of(sealing_), boot_id}, journal_mac_of(sealing_), nullptr};
  }

  /// False if it did not come so far.
  bool start() {
    segment_log::opening opened = segment_log::open(options_, files_);
    if (!opened.log) return false;
    log_ = std::move(opened.log);
    log_recovery left = recover_log(dir_.path(), {std::move(opened.journal), own_keys(sealing_),
                                                  options_.journal->owner.boot_id, log_->current_segment()});
    if (!left.failure.empty()) return false;
    found = std::move(left.conclusions);
    findings = found.findings;
    for (const recovered_run& each : found.open_runs) adopts = adopts || each.adopted;
    epochs_ = std::make_shared<chain_epochs>(found.highest_epoch);
    const restart_context context{"host-a", "test", *log_, clock_, *epochs_, sealing_};
    if (record_start(found, context, *log_, events_, host_chain_)) return false;
    sink_.emplace(*log_, clock_, sealing_, "SINK", epochs_);
    return true;
  }

  /// Opens, declares, closes, over several segments. False if it did not come so far.
  bool work() {
    for (const char* cell : {"cell-1", "cell-2", "cell-3"}) {
      const auto run = std::make_shared<const host_stamp>(host_stamp{"host-a", cell, "run-1", "sha256:aa"});
      sink_->open_run(run, {"test", 10s, {}});
      if (test::flush(*sink_, *host_chain_)) return false;
      for (std::uint64_t chunk = 1; chunk <= 3; ++chunk) {
        clock_.time += 1ms;
        declare(run, chunk);
        if (test::flush(*sink_, *host_chain_)) return false;
        declared += 2;
      }
      sink_->checkpoint();
      if (test::flush(*sink_, *host_chain_)) return false;
      if (cell != std::string_view{"cell-3"}) sink_->close_run(run, {run_end_reason::retired, 6, 1});
      if (test::flush(*sink_, *host_chain_)) return false;
    }
    return true;
  }

  /// Ends whatever was left open. False if it did not come so far.
  bool end() {
    if (end_orphans(found.open_runs, clock_, sealing_, *host_chain_)) return false;
    return !host_chain_->record(daemon_stop{}) && !log_->close();
  }

  recovery_conclusions found;
  std::vector<recovery_finding> findings;
  /// Something that nothing of ours vouches for.
  bool adopts = false;
  /// In the log, as far as anybody was answered.
  std::uint64_t declared = 0;

 private:
  void declare(const host_stamp_ptr& run, std::uint64_t number) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = number;
    chunk->received_at = clock_.now();
    chunk->frames = 2;
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(2);
    sink_->take(run, made, monotonic_time{}, made.declarations.size());
  }

  const memory_directory& dir_;
  test::manual_clock& clock_;
  file_system& files_;
  event_sealing_ptr sealing_ = std::make_shared<const host_sealing>(a_key(), nullptr, 1000);
  segment_log_options options_;
  operator_events events_{std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>()),
                          log_format::text};
  std::unique_ptr<segment_log> log_;
  std::shared_ptr<chain_epochs> epochs_;
  std::optional<host_event_chain> host_chain_;
  std::optional<sink_journal> sink_;
};

std::string whole_log(const memory_directory& dir) {
  std::string text;
  std::error_code failure;
  for (const segment_on_disk& each : list_segments(dir.path(), failure)) {
    text += content_of(dir / segment_file_name(each.segment));
  }
  return text;
}

std::uint64_t count(std::string_view text, std::string_view what) {
  std::uint64_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// A process that is killed at a call, and what its successors make of what it left.
struct killed_at {
  fsync_policy fsync;
  bool torn;
  std::uint64_t call;

  /// What is wrong; `came_through`: the process did all it had to without getting there.
  std::string outcome(bool& came_through) const {
    memory_directory dir;
    test::manual_clock clock;
    std::uint64_t declared = 0;
    {
      faulty_file_system files;
      std::uint64_t calls = 0;
      files.fault = [&](file_call what) {
        const bool dead = ++calls >= call;
        // Only the killing write may leave something.
        files.torn_writes = torn && calls == call && what == file_call::write;
        return dead ? EIO : 0;
      };
      process first{dir, clock, fsync, files};
      came_through = first.start() && first.work() && calls < call;
      declared = first.declared;
    }
    clock.time -= 1h;
    // One that is killed while it starts must not have made it worse.
    for (const std::uint64_t also_killed_at : {20u, 28u, 36u}) {
      faulty_file_system files;
      std::uint64_t calls = 0;
      files.fault = [&](file_call) { return ++calls >= also_killed_at ? EIO : 0; };
      process again{dir, clock, fsync, files};
      again.start();
      if (!again.findings.empty()) return "the start that was killed found " + words_of(again.findings);
    }
    process second{dir, clock, fsync, real_file_system()};
    if (!second.start()) return "the log could not be gone on with";
    if (!second.findings.empty()) return "found " + words_of(second.findings);
    if (!second.end()) return "the log could not be ended";
    const std::string text = whole_log(dir);
    if (count(text, "\"probeSource\":") < declared) return "a declaration is missing";
    std::string wrong;
    for (const std::string& broken : simulation::broken_seals(text, public_keys())) wrong += broken + "; ";
    return wrong;
  }

  static std::string words_of(const std::vector<recovery_finding>& findings) {
    std::string words;
    for (const recovery_finding& each : findings) {
      if (const auto* what = std::get_if<abandoned_chain>(&each)) {
        words += what->chain + " " + std::string{to_string(what->cause)} + "; ";
      } else if (const auto* trouble = std::get_if<journal_trouble>(&each)) {
        words += std::string{to_string(*trouble)} + "; ";
      } else {
        words += "finding " + std::to_string(each.index()) + "; ";
      }
    }
    return words;
  }
};

void sweep(fsync_policy fsync, bool torn) {
  std::uint64_t call = 1;
  for (bool came_through = false; !came_through; ++call) {
    const killed_at one{fsync, torn, call};
    const std::string wrong = one.outcome(came_through);
    if (!wrong.empty()) CAF_ERROR("killed at call " << call << ": " << wrong);
  }
  CAF_MESSAGE(call << " calls");
  CAF_CHECK(call > 80);
}

}  // namespace

CAF_TEST(killed at any call nothing looks like tampering) { sweep(fsync_policy::always, false); }
CAF_TEST(killed in the middle of any write nothing looks like tampering) { sweep(fsync_policy::always, true); }
CAF_TEST(killed at any call of a log that is never flushed nothing looks like tampering) {
  sweep(fsync_policy::never, true);
}

CAF_TEST(an append that is not whole is taken back as a whole) {
  memory_directory dir;
  test::manual_clock clock;
  {
    process first{dir, clock, fsync_policy::never, real_file_system()};
    CAF_REQUIRE(first.start());
    CAF_REQUIRE(first.work());
    // It is not closed: the destructor's last record is taken away again below.
  }
  const auto journal = dir / recovery_journal::file_name;
  std::string text = content_of(journal);
  text.resize(text.rfind('\n', text.size() - 2) + 1);
  write_file(journal, text);
  std::error_code failure;
  const auto last = list_segments(dir.path(), failure).back();
  const auto path = dir / segment_file_name(last.segment);
  const std::string lines = content_of(path);
  // The last append of all has two lines and more: an end, or a checkpoint alone.
  std::filesystem::resize_file(path, lines.size() - 5);
  process second{dir, clock, fsync_policy::never, real_file_system()};
  CAF_REQUIRE(second.start());
  CAF_CHECK(second.findings.empty());
  CAF_CHECK(second.end());
  CAF_CHECK(simulation::broken_seals(whole_log(dir), public_keys()).empty());
}

CAF_TEST(wherever a loss of power cuts the log off nothing looks like tampering) {
  std::size_t cuts = 0;
  for (std::size_t lines_left = 0;; ++lines_left) {
    memory_directory dir;
    test::manual_clock clock;
    {
      process first{dir, clock, fsync_policy::never, real_file_system()};
      CAF_REQUIRE(first.start());
      CAF_REQUIRE(first.work());
    }
    std::error_code failure;
    const auto path = dir / segment_file_name(list_segments(dir.path(), failure).back().segment);
    const std::string lines = content_of(path);
    std::size_t end = 0;
    for (std::size_t i = 0; i < lines_left && end < lines.size(); ++i) end = lines.find('\n', end) + 1;
    if (end == lines.size()) break;
    ++cuts;
    std::filesystem::resize_file(path, end + 5);
    process second{dir, clock, fsync_policy::never, real_file_system(), "boot-2"};
    CAF_REQUIRE(second.start());
    for (const recovery_finding& each : second.findings) CAF_CHECK(std::holds_alternative<lost_events>(each));
    CAF_CHECK(!second.adopts);
    CAF_CHECK(second.end());
    CAF_CHECK(simulation::broken_seals(whole_log(dir), public_keys()).empty());
  }
  CAF_CHECK(cuts > 3);
}
