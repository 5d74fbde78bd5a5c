#pragma once

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
#include "tests/support/flushed_journal.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/recorded_log.hpp"

/// What recovery tests have at hand: a log and the journal beside it, and what may be done to either.
namespace cellos::test::recovery {

using namespace std::chrono_literals;

inline std::shared_ptr<const signing_key> key(const std::string& id) {
  std::array<std::uint8_t, 32> seed{1, 2, 3};
  seed[0] = static_cast<std::uint8_t>(id.size());
  return std::make_shared<const signing_key>(
      std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, id, seed)));
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

inline std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

template <class What>
inline std::vector<What> of_kind(const recovery_conclusions& found) {
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
  host_event_chain host_chain{"host-a", log, clock, sealing, std::nullopt, *epochs};
  sink_journal sink{log, clock, sealing, "SINK", epochs};
  host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:aa"});
  std::string chain;
  std::uint64_t chunks = 0;

  fixture() {
    host_chain.record(daemon_start{"test"});
    chain = sink.open_run(run, {"test", 10s, {}});
    flush(sink, host_chain);
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
    sink.take(run, made, monotonic_time{}, made.declarations.size());
    flush(sink, host_chain);
  }

  void close() {
    sink.close_run(run, {run_end_reason::retired, 0, 1});
    flush(sink, host_chain);
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

  std::string host_chain_name = host_chain.end().chain;
};

}  // namespace cellos::test::recovery
