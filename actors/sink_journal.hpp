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
#include <utility>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/interfaces.hpp"
#include "actors/log_share.hpp"
#include "actors/ports.hpp"
#include "actors/run_ledger.hpp"

namespace cellos {

/// What a SINK works on and must not lose: the ledgers of its open runs, and lines made but not yet in the log.
///
/// Lives outside the actor, so that a SINK that died is replaced by one that goes on where it was. Used by one SINK at
/// a time; not thread-safe.
class sink_journal {
 public:
  /// Without a sealing, events carry no digests; without a host chain, runs are not listed in the host's chain. `share`
  /// is each cell's.
  sink_journal(evidence_log& log, const wall_clock& clock, event_sealing_ptr sealing = nullptr,
               host_event_chain* host_chain = nullptr,
               std::shared_ptr<chain_epochs> epochs = std::make_shared<chain_epochs>(),
               const log_share_limits& share = {})
      : log_(log),
        clock_(clock),
        sealing_(std::move(sealing)),
        host_chain_(host_chain),
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

  /// Appends the pending lines to the log. On an error they stay pending.
  std::error_code flush();
  std::size_t pending_bytes() const { return pending_.size(); }

 private:
  /// Makes lines of a run with `make(pending_)`; cuts them away again if it throws.
  template <class Make>
  auto append_lines(const host_stamp_ptr& run, run_ledger& ledger, Make&& make);
  std::vector<chain_head> pending_heads() const;
  std::size_t part_after() const;
  void part(const host_stamp_ptr& run, run_ledger& ledger);
  void part_at(std::size_t end, std::vector<chain_head> heads);
  std::error_code write_parted();
  std::error_code write(std::string_view lines, std::span<const chain_head> heads,
                        std::span<const std::string> openings, std::span<const run_end_mark> ends);

  log_share& share_of(const host_stamp& run, monotonic_time now);

  evidence_log& log_;
  const wall_clock& clock_;
  std::map<host_stamp_ptr, run_ledger, by_name> runs_;
  /// Totals of runs that ended: whoever ended one may have died before it heard, and asks again.
  std::map<host_stamp_ptr, run_totals, by_name> closed_;
  /// Among the pending lines: chains that begin, ends, and what has lines there. The host's chain lists the former two
  /// in one piece with the lines.
  std::vector<std::string> pending_openings_;
  std::vector<run_end_mark> pending_ends_;
  std::vector<chain_head> heads_of_ended_;
  std::set<host_stamp_ptr, by_name> with_lines_;

  /// Pending lines that are appended by themselves, since with those behind them they are more than the log may take.
  struct piece {
    std::size_t bytes = 0;
    std::vector<chain_head> heads;
    std::vector<std::string> openings;
    std::vector<run_end_mark> ends;
  };
  /// In order; the lines behind the last one have their heads in the members above.
  std::deque<piece> pieces_;
  std::size_t parted_bytes_ = 0;
  std::string pending_;
  event_sealing_ptr sealing_;
  host_event_chain* host_chain_;
  log_share_limits share_limits_;
  /// By cell: another run of it is no other share.
  std::map<std::string, log_share, std::less<>> shares_;
  /// With so many, those that are full are forgotten.
  std::size_t sweep_shares_at_ = 64;
  std::shared_ptr<chain_epochs> epochs_;
};

using sink_journal_ptr = std::shared_ptr<sink_journal>;

}  // namespace cellos
