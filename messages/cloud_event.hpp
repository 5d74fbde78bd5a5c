#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/agent_silenced.hpp"
#include "messages/chain_writer.hpp"
#include "messages/contradiction.hpp"
#include "messages/event_types.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"
#include "messages/recovered_run.hpp"
#include "messages/recovery_event.hpp"
#include "messages/run_progress.hpp"
#include "messages/run_totals.hpp"
#include "messages/run_witness.hpp"
#include "messages/stamped_declaration.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

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
  /// Compares what the cell declares with what the host reads; null: nobody does.
  run_witness_ptr witness = nullptr;
};

/// Why telemetry did not reach the log; the word in `telemetry_dropped`.
enum class loss_reason : std::uint8_t {
  /// The agent's own drop counter moved (version 1.1).
  guest_queue_full,
  /// `seq` numbers never came (version 1.1).
  sequence_gap,
  /// The host refused frames; `refused` says of which kinds.
  frames_refused,
  /// Decoding a chunk ended two DECODERs, or its batch had another attribution; it was set aside in a file.
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

/// Projects one run's happenings to CloudEvents 1.0, structured JSON, one line each, and writes them to its chain.
///
/// Everything constant for the run is rendered once; a declaration costs a few copies and one escape scan. Each
/// function below begin() appends one line with its newline, and a checkpoint behind it where one is due. Lines are
/// complete, and count, after `chain().commit()`.
class run_projection {
 public:
  /// The events go behind `at`; see chain_writer.
  run_projection(host_stamp_ptr attribution, chain_position at, const event_sealing_ptr& sealing = nullptr);

  /// Of each group of events; a change of keys comes first.
  void begin(std::string& out, wall_time now);

  /// One that is not attributed to this run is a bug of the caller: std::invalid_argument, and no line.
  void declaration(std::string& out, const stamped_declaration& declaration);
  void agent_silenced(std::string& out, wall_time now, const cellos::agent_silenced& silence);
  void agent_resumed(std::string& out, wall_time received);
  void telemetry_dropped(std::string& out, wall_time now, const telemetry_loss& loss);
  /// What the host read for itself, dated when it was handed on; one without a date is of `now`.
  void host_reading(std::string& out, wall_time now, const probe_reading& reading);
  void contradiction(std::string& out, wall_time now, const recorded_contradiction& found);
  void run_started(std::string& out, wall_time now, const run_opening& opening);
  /// The chain goes on after a restart of the daemon.
  void run_resumed(std::string& out, wall_time now, const run_opening& opening);
  void run_checkpoint(std::string& out, wall_time now);
  /// Goes right behind events that nothing of ours vouches for.
  void run_adopted(std::string& out, wall_time now, const adopted_range& range);
  void run_ended(std::string& out, wall_time now, run_end_reason reason, const run_totals& totals);

  const host_stamp_ptr& attribution() const { return attribution_; }
  /// Whether this run is meant, by whichever copy of its attribution.
  bool is_attributed(const host_stamp& to) const { return &to == attribution_.get() || to == *attribution_; }
  chain_writer& chain() { return chain_; }
  const chain_writer& chain() const { return chain_; }

 private:
  void opened(std::string& out, wall_time now, event_type type, const run_opening& opening);
  void key_changed(std::string& out, wall_time now, std::string_view former_key_id);
  template <class WriteMembers>
  void event(std::string& out, wall_time time, event_type type, WriteMembers&& members);

  host_stamp_ptr attribution_;
  chain_writer chain_;
  // The constant pieces of a declaration's data; the last by probe source.
  std::string declaration_data_;
  std::array<std::string, probe_source_names.size()> declaration_tails_;
  /// Of the last declaration: all of a batch have the same.
  timestamp_text received_{wall_time{}};
};

}  // namespace cellos
