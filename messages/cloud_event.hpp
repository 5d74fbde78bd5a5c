#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/agent_silenced.hpp"
#include "messages/chain_lines.hpp"
#include "messages/guest_declaration.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"
#include "messages/recovered_run.hpp"
#include "messages/recovery_event.hpp"
#include "messages/run_progress.hpp"
#include "messages/run_totals.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

namespace event_type {
inline constexpr std::string_view agent_silenced = "guest.v1.agent_silenced";
inline constexpr std::string_view agent_resumed = "guest.v1.agent_resumed";
inline constexpr std::string_view telemetry_dropped = "guest.v1.telemetry_dropped";
inline constexpr std::string_view run_started = "run.v1.started";
inline constexpr std::string_view run_resumed = "run.v1.resumed";
inline constexpr std::string_view run_checkpoint = "run.v1.checkpoint";
inline constexpr std::string_view run_adopted = "run.v1.adopted";
inline constexpr std::string_view run_key_changed = "run.v1.key_changed";
inline constexpr std::string_view run_ended = "run.v1.ended";
}  // namespace event_type

/// Why a run ended; the word in `run.v1.ended`.
enum class run_end_reason : std::uint8_t {
  retired,
  daemon_stopped,
  /// The cell's actors could not be kept alive and its policy is `fail-cell`.
  cell_failed,
};

constexpr std::string_view to_string(run_end_reason reason) {
  switch (reason) {
    case run_end_reason::retired: return "retired";
    case run_end_reason::daemon_stopped: return "daemon_stopped";
    case run_end_reason::cell_failed: return "cell_failed";
  }
  return "retired";
}

/// What the daemon knows when a run's chain starts, besides its attribution.
struct run_opening {
  std::string daemon_version;
  std::chrono::nanoseconds silence_window{};
  /// The chain to go on with, if a predecessor of this process left one open.
  std::optional<recovered_run> recovered;
  /// Where the run's totals are published; null: nowhere.
  run_progress_ptr progress = nullptr;
};

/// Why telemetry did not reach the log; the word in `telemetry_dropped`.
enum class loss_reason : std::uint8_t {
  /// The agent's own drop counter moved (version 1.1).
  guest_queue_full,
  /// `seq` numbers never came (version 1.1).
  sequence_gap,
  /// The host refused frames; `refused` says of which kinds.
  frames_refused,
  /// Decoding a chunk ended two DECODERs; it was set aside in a file.
  quarantined,
  /// The daemon ended without draining. How much was read and not appended is unknown.
  daemon_restart,
};

constexpr std::string_view to_string(loss_reason reason) {
  switch (reason) {
    case loss_reason::guest_queue_full: return "guest_queue_full";
    case loss_reason::sequence_gap: return "sequence_gap";
    case loss_reason::frames_refused: return "frames_refused";
    case loss_reason::quarantined: return "quarantined";
    case loss_reason::daemon_restart: return "daemon_restart";
  }
  return "frames_refused";
}

/// Telemetry that did not reach the log.
struct telemetry_loss {
  loss_reason reason{};
  /// Nothing where nobody can know.
  std::optional<std::uint64_t> frames;
  /// Written for `frames_refused` only.
  refusal_counts refused;
  /// Name of the file in the quarantine; written for `quarantined` only.
  std::string file;
};

/// Projects one run's happenings to CloudEvents 1.0, structured JSON, one line each.
///
/// Everything constant for the run is rendered once; a declaration costs a few copies and one escape scan. Each
/// function appends one line with its newline. `sequence` is the event's place in the run's chain, from 1. With a
/// sealing, lines are complete after `seal`.
class run_projection {
 public:
  /// `chain` names the run's chain uniquely: host, cell, run and epoch.
  run_projection(host_stamp_ptr attribution, std::string chain, const event_sealing_ptr& sealing = nullptr);

  // Vouched for by the next signature of the chain, unless each event is signed.
  void declaration(std::string& out, std::uint64_t sequence, const timestamp_text& received,
                   const guest_declaration& declared);
  void agent_resumed(std::string& out, std::uint64_t sequence, wall_time received);
  void telemetry_dropped(std::string& out, std::uint64_t sequence, wall_time now, const telemetry_loss& loss);

  // Signed where there is a key.
  void run_started(std::string& out, std::uint64_t sequence, wall_time now, const run_opening& opening);
  /// The chain goes on after a restart of the daemon.
  void run_resumed(std::string& out, std::uint64_t sequence, wall_time now, const run_opening& opening);
  void run_checkpoint(std::string& out, std::uint64_t sequence, wall_time now);
  /// The first event of the present key, signed with the former one too if the sealing has it.
  void run_key_changed(std::string& out, std::uint64_t sequence, wall_time now, std::string_view former_key_id);
  /// Goes right behind events that nothing of ours vouches for.
  void run_adopted(std::string& out, std::uint64_t sequence, wall_time now, const adopted_range& range);
  void run_ended(std::string& out, std::uint64_t sequence, wall_time now, run_end_reason reason,
                 const run_totals& totals);
  void agent_silenced(std::string& out, std::uint64_t sequence, wall_time now, const agent_silenced& silence);

  const host_stamp_ptr& attribution() const { return attribution_; }
  const std::string& chain() const { return lines_.chain(); }
  chain_lines& lines() { return lines_; }
  const chain_lines& lines() const { return lines_; }

 private:
  void opened(std::string& out, std::uint64_t sequence, wall_time now, std::string_view type,
              const run_opening& opening);
  template <class WriteData>
  void event(std::string& out, std::uint64_t sequence, wall_time time, std::string_view type, seal_kind kind,
             WriteData&& data);
  seal_kind ordinary() const;

  host_stamp_ptr attribution_;
  chain_lines lines_;
  // The constant pieces of a declaration's data and its type, by probe source.
  std::array<std::string, probe_source_names.size()> declaration_types_;
  std::string declaration_data_;
  std::array<std::string, probe_source_names.size()> declaration_tails_;
};

}  // namespace cellos
