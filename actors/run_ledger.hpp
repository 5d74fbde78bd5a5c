#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/witnessed_run.hpp"
#include "messages/batch.hpp"
#include "messages/chain_head.hpp"
#include "messages/cloud_event.hpp"
#include "messages/event_seal.hpp"
#include "messages/host_event.hpp"
#include "messages/quarantined_chunk.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// One run's totals and its place in the chain: turns what happens into numbered event lines, each exactly once.
///
/// Pure: lines are appended to a caller's buffer, time comes in. Every function either completes or, if it throws,
/// leaves the ledger as it was (the caller cuts its buffer back).
class run_ledger {
 public:
  enum class result : std::uint8_t {
    taken,
    /// As `taken`, and these are the first frames since the run's silence was reported.
    taken_and_resumed,
    /// Already in the totals; acknowledge it again.
    duplicate,
    /// A chunk before it is missing; ask for a replay.
    gap,
    /// The batch is attributed to another run, or to none. Nothing of it is in the totals: its chunk waits for whatever
    /// stands in for it, see `quarantine`.
    misattributed,
  };

  run_ledger(host_stamp_ptr attribution, std::string chain, const event_sealing_ptr& sealing = nullptr)
      : projection_(std::move(attribution), chain_position{std::move(chain)}, sealing) {}
  /// Goes on with a chain that an earlier process left open. Its sealing has to be there if the chain is sealed.
  run_ledger(host_stamp_ptr attribution, const recovered_run& left, const event_sealing_ptr& sealing);

  /// `run.v1.started`, or `run.v1.resumed` where a recovered chain goes on.
  void open(std::string& out, wall_time now, const run_opening& opening);
  /// The first events after a crash: what is lost; before it the change of keys, if there was one, and what nobody
  /// vouches for, if there is anything.
  void restarted(std::string& out, wall_time now);
  /// Of its declarations at most so many are appended; the others are refused as `over_quota`.
  result take(std::string& out, const batch& arrived,
              std::uint64_t most_declarations = std::numeric_limits<std::uint64_t>::max());
  /// Stands in for a chunk's batch; the same results.
  result quarantine(std::string& out, wall_time now, const quarantined_chunk& chunk);
  /// The run's first silence makes a line; a later one makes none. True if a line was made.
  bool silence(std::string& out, wall_time now, const agent_silenced& silence);
  /// Contradictions between what was declared and what was read, found by what is in the chain, that are not on record
  /// yet; `record_found` makes a line of each.
  const std::vector<recorded_contradiction>& found() const { return witnessed_.found(); }
  void record_found(std::string& out, wall_time now);
  /// What the host read for itself makes a line.
  void reading(std::string& out, wall_time now, const probe_reading& reading);
  /// Writes what was lost since the last summary, if anything; answers with the refusals among it.
  refusal_counts summarise_losses(std::string& out, wall_time now);
  /// What a run comes to.
  struct ending {
    run_totals totals;
    run_end_mark mark;
    chain_head head;
  };

  /// The last event. `received` and `connections` are the intake's count, so that what never got here is on record.
  ending close(std::string& out, wall_time now, run_end_reason reason, std::uint64_t received,
               std::uint64_t connections);

  /// Signs what is not yet vouched for, if there is a key and anything to sign.
  void checkpoint(std::string& out, wall_time now);
  /// Seals all further events with another key. A chain that has no digests stays without.
  void change_key(std::string& out, wall_time now, const event_sealing_ptr& sealing);

  /// Events that no signature vouches for yet; 0 without a key.
  std::uint64_t unsigned_events() const { return projection_.chain().unsigned_events(); }
  std::uint64_t next_event() const { return projection_.chain().next_event(); }
  /// The last event.
  run_end_mark end_mark() const;
  /// Where the chain stands.
  chain_position position() const { return projection_.chain().position(); }
  /// What a successor of this process goes on from.
  chain_head head() const;

  /// A place among the lines of one call where they can be parted, and where the chain stands there.
  struct parting {
    /// In the caller's buffer.
    std::size_t end = 0;
    chain_head head;
  };

  /// One call that makes more than so many bytes notes where its lines can be parted.
  void part_after(std::size_t bytes) { part_after_ = bytes; }
  /// Of the last call.
  std::vector<parting> take_partings() { return std::exchange(partings_, {}); }

  std::uint64_t received_before() const { return received_before_; }
  const std::string& chain() const { return projection_.chain().chain(); }
  const run_totals& totals() const { return state_.totals; }
  bool has_losses() const;
  bool silence_told() const { return state_.silence_told; }
  bool silenced() const { return state_.silence_told && !state_.resumed; }
  /// Whether this chunk is the next one, rather than in the totals already or behind one that is missing.
  bool awaits(std::uint64_t chunk) const { return chunk == state_.next_chunk; }
  std::chrono::nanoseconds silence_window() const { return silence_window_; }
  wall_time last_frame() const { return state_.last_frame; }

 private:
  /// The highest that a version 1.1 guest's counters have been on one open connection.
  struct connection_account {
    std::uint64_t connection = 0;
    std::uint64_t next_seq = 0;
    std::uint64_t dropped = 0;
  };

  struct unreported_losses {
    std::uint64_t dropped_by_guest = 0;
    std::uint64_t missing_seq = 0;
    refusal_counts refused;
  };

  struct state {
    std::uint64_t next_chunk = 1;
    run_totals totals;
    unreported_losses losses;
    std::vector<connection_account> connections;
    monotonic_time last_accepted{};
    wall_time last_frame{};
    bool silence_told = false;
    bool resumed = false;
    bool ended = false;
  };

  /// Every change is made to a copy of the state, which takes its place when it is complete, with its events.
  state begin(std::string& out, wall_time now);
  void commit(std::string& out, state&& next);

  static void account_losses(state& next, const batch& arrived);
  static void count(state& next, const batch& arrived, std::uint64_t appended);
  std::uint64_t next_line() const { return projection_.chain().next_in_group(); }
  bool resume_if_silenced(state& next, std::string& out, wall_time received);
  chain_head head_of(chain_position position, const state& at) const;
  /// `since`: where the lines begin that are not parted yet. Moves on if they are now.
  void part_if_due(state& next, std::string& out, std::size_t& since, std::uint64_t declarations);

  run_projection projection_;
  run_progress_ptr progress_;
  witnessed_run witnessed_;
  state state_;
  /// Of a recovered run: frames that the present intake never saw.
  std::uint64_t received_before_ = 0;
  /// Zero until the run is opened.
  std::chrono::nanoseconds silence_window_{};
  /// Of a recovered run: to be put on record.
  std::optional<adopted_range> adopted_;
  std::size_t part_after_ = std::numeric_limits<std::size_t>::max();
  std::vector<parting> partings_;
};

}  // namespace cellos
