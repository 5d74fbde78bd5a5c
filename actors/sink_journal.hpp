#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/log_share.hpp"
#include "actors/ports.hpp"
#include "actors/run_ledger.hpp"
#include "messages/agent_silenced.hpp"
#include "messages/batch.hpp"
#include "messages/cloud_event.hpp"
#include "messages/event_seal.hpp"
#include "messages/joint_append.hpp"
#include "messages/quarantined_chunk.hpp"
#include "messages/run_account.hpp"
#include "messages/run_closing.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// What a SINK works on and must not lose: the ledgers of its open runs, and lines made but not yet in the log.
///
/// Lives outside the actor, so that a SINK that died is replaced by one that goes on where it was. Used by one SINK at
/// a time; not thread-safe. Each operation completes or, if it throws, leaves the journal as it was.
///
/// Most lines it appends itself. Lines with which a run begins or ends are for the HOST CHAIN, which appends them
/// together with what the host's chain says of that; until it has, nothing behind them is appended.
class sink_journal {
 public:
  /// Without a sealing, events carry no digests. `origin`: what the host's chain knows this journal by; without one,
  /// runs are not listed there. `share` is each cell's.
  sink_journal(evidence_log& log, const wall_clock& clock, event_sealing_ptr sealing = nullptr, std::string origin = {},
               std::shared_ptr<chain_epochs> epochs = std::make_shared<chain_epochs>(),
               const log_share_limits& share = {})
      : log_(log),
        clock_(clock),
        sealing_(std::move(sealing)),
        origin_(std::move(origin)),
        share_limits_(share),
        epochs_(std::move(epochs)) {}

  /// By name, so that what is done to all runs is done in an order a simulation can replay.
  struct by_name {
    bool operator()(const host_stamp_ptr& a, const host_stamp_ptr& b) const {
      return std::tie(a->cell_id, a->run_id, a) < std::tie(b->cell_id, b->run_id, b);
    }
  };

  /// Starts the run's chain and names it; a run that is open already stays as it is.
  const std::string& open_run(const host_stamp_ptr& run, const run_opening& opening);
  /// `run`: whose DECODER made the batch, whatever that is attributed to. One of a run that is not open is a duplicate:
  /// its run has ended. Of its declarations at most so many are appended, see `allowance`; the others are refused.
  run_ledger::result take(const host_stamp_ptr& run, const batch& arrived, monotonic_time now,
                          std::uint64_t most_declarations);
  /// What the cell's share of the log covers of a batch. One that is in the totals already needs nothing of it.
  log_share::allowance allowance(const host_stamp_ptr& run, const batch& arrived, monotonic_time now);
  /// Stands in for a chunk's batch. What it makes is of the cell's share.
  run_ledger::result quarantine(const host_stamp_ptr& run, const quarantined_chunk& chunk, monotonic_time now);
  bool silence(const host_stamp_ptr& run, const agent_silenced& silence);
  /// What the host read of the cell; nothing of a run that is not open. What it makes is of the cell's share.
  void reading(const host_stamp_ptr& run, const probe_reading& reading, monotonic_time now);
  /// Puts on record what was found to contradict what; answers with it. Of a run that is open.
  std::vector<recorded_contradiction> record_found(const host_stamp_ptr& run);
  using contradiction_listener = std::function<void(const host_stamp&, const recorded_contradiction&)>;
  /// The same of all runs.
  void record_all_found(const contradiction_listener& hears);
  /// Totals of an open run; empty for any other.
  run_account account(const host_stamp_ptr& run) const;
  /// Ends the chain; asked again it answers the same, for as long as anybody else holds `run`.
  run_totals close_run(const host_stamp_ptr& run, const run_closing& closing);

  /// Summaries of what was lost since the last call, for every run that lost something; `refused` hears of refusals.
  /// Those of a cell in debt wait: what a guest does wrong fills the log no faster than what it does right.
  void summarise_losses(monotonic_time now,
                        const std::function<void(const host_stamp&, const refusal_counts&)>& refused);
  bool has_losses() const;
  bool has_losses(const host_stamp_ptr& run) const;

  /// Signs what no signature vouches for yet, in every run.
  void checkpoint();
  /// The longest that an event may stay without a signature behind it, where `has_unsigned`.
  std::chrono::nanoseconds checkpoint_interval() const { return statement_of(sealing_).interval; }
  /// Whether each event costs a signature.
  bool signs_each_event() const;
  bool has_unsigned() const;
  bool has_unsigned(const host_stamp_ptr& run) const;
  /// Seals all further events with another key.
  void change_key(const event_sealing_ptr& sealing);

  /// To be said in the host's chain, behind the lines that are pending.
  void record(log_blockage blockage);

  /// Appends the pending lines to the log, up to those that the HOST CHAIN has to append: `for_host_chain`. On an error
  /// they stay pending.
  std::error_code flush();
  /// What the HOST CHAIN is to append, the same until `appended_by_host_chain`. Null: nothing.
  const joint_append_ptr& for_host_chain() const { return handed_over_; }
  /// It is in the log.
  void appended_by_host_chain();

  /// Lines, and what the host's chain is to say, that are not in the log yet.
  bool has_pending() const;
  /// But for those that were handed over.
  std::size_t pending_bytes() const { return pending_.size(); }
  /// Of all lines that were ever made, in order: how many bytes there are, and how many of them are in the log.
  std::uint64_t bytes_made() const;
  std::uint64_t bytes_written() const { return written_; }

 private:
  struct undo;

  /// Makes lines of a run with `make(pending_)`. If it throws, what it added anywhere is cut away again.
  template <class Make>
  decltype(auto) append_lines(const host_stamp_ptr& run, run_ledger& ledger, Make&& make);
  bool lists_runs() const { return !origin_.empty(); }
  std::vector<chain_head> pending_heads() const;
  std::size_t part_after() const;
  void part(const host_stamp_ptr& run, run_ledger& ledger);
  void part_at(std::size_t end, std::vector<chain_head> heads);
  void hand_over();

  log_share& share_of(const host_stamp& run, monotonic_time now);

  evidence_log& log_;
  const wall_clock& clock_;
  using open_runs = std::map<host_stamp_ptr, run_ledger, by_name>;
  open_runs::iterator find(const host_stamp_ptr& run);
  open_runs::const_iterator find(const host_stamp_ptr& run) const;

  open_runs runs_;
  /// The same by address, by which runs differ; their names are for the order in which lines are made.
  std::unordered_map<const host_stamp*, open_runs::iterator> by_address_;
  /// Totals of runs that ended: whoever ended one may have died before it heard, and asks again.
  std::map<host_stamp_ptr, run_totals, by_name> closed_;
  /// Of the pending lines behind the last piece: what the host's chain says of them, which chains have ended, and what
  /// else has lines there.
  std::vector<host_statement> said_before_;
  std::vector<host_statement> said_behind_;
  std::vector<chain_head> heads_of_ended_;
  std::set<host_stamp_ptr, by_name> with_lines_;

  /// Pending lines that are appended by themselves: with those behind them they are more than the log may take, or the
  /// log refused them.
  struct piece {
    std::size_t bytes = 0;
    std::vector<chain_head> heads;
    std::vector<host_statement> before;
    std::vector<host_statement> behind;
  };
  /// In order; the lines behind the last one have their heads in the members above.
  std::deque<piece> pieces_;
  std::size_t parted_bytes_ = 0;
  std::string pending_;
  /// The HOST CHAIN is at it. No longer part of the pending lines.
  joint_append_ptr handed_over_;
  std::uint64_t last_number_ = 0;
  std::uint64_t written_ = 0;
  event_sealing_ptr sealing_;
  std::string origin_;
  log_share_limits share_limits_;
  /// By cell: another run of it is no other share.
  std::unordered_map<std::string, log_share> shares_;
  /// With so many, those that are full are forgotten.
  std::size_t sweep_shares_at_ = 64;
  std::shared_ptr<chain_epochs> epochs_;
};

using sink_journal_ptr = std::shared_ptr<sink_journal>;

}  // namespace cellos
