#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Whole cell trees, and half the time the forwarding of their log to collectors, in one thread under one seed: CAF's
/// test coordinator decides nothing, the seed decides who runs next, how much is read, and which fault strikes. The
/// same seed replays bit for bit.
namespace cellos::simulation {

/// A bug planted in a part behind the ports, to prove that the invariants would notice it.
enum class planted_bug : std::uint8_t {
  none,
  /// The log says an append is done before it is, and forgets it when the daemon dies.
  acknowledge_before_append,
  /// A replayed chunk comes with a new number, so that nobody can know it came before.
  replay_renumbered,
  /// Now and then an acknowledgement returns no credit.
  credit_leak,
  /// The silence of a run is reported once more.
  silence_reported_twice,
  /// The journal says that lines are durable before they are synced.
  commit_before_sync,
  /// A start leaves the whole lines of an append that was cut short.
  half_append_kept,
  /// Lines that a loss of power would take are forwarded.
  forward_before_commit,
  /// A collector says that lines are durable before its disk was synced.
  answer_before_sync,
  /// What declarations and readings disagree about is found twice.
  contradiction_doubled,
  /// It is said of the window before.
  contradiction_misplaced,
};

/// Name on the command line; `none` for the real thing.
std::string_view to_string(planted_bug bug);

struct outcome {
  /// Broken promises, each a sentence; empty if all were kept.
  std::vector<std::string> violations;
  /// What the seed decided, step by step; the last ones.
  std::vector<std::string> trace;
  /// Of every decision and every line of the log.
  std::uint64_t digest = 0;
  std::uint64_t steps = 0;
  std::uint64_t declarations = 0;
  std::uint64_t faults = 0;
  std::uint64_t lines_forwarded = 0;
};

class frame_trace;

/// `trace`, if there is one, is given everything that happens.
outcome simulate(std::uint64_t seed, planted_bug bug = planted_bug::none, frame_trace* trace = nullptr);

}  // namespace cellos::simulation
