#include "actors/sink_journal.hpp"

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"

namespace cellos {

namespace {

/// Host, cell, run and epoch: the same run opened again after it ended is another chain.
std::string new_chain(const host_stamp& run, wall_time opened, chain_epochs& epochs) {
  return run_chain_name(run.host_id, run.cell_id, run.run_id, epochs.next(opened));
}

/// A buffer that grew past this for a burst is given back.
constexpr std::size_t keep_buffer_bytes = 4 * 1024 * 1024;

}  // namespace

template <class Make>
auto sink_journal::append_lines(const host_stamp_ptr& run, run_ledger& ledger, Make&& make) {
  if (pending_.size() - parted_bytes_ >= part_after()) part_at(pending_.size(), pending_heads());
  const auto [mark, is_new] = with_lines_.insert(run);
  // Where `make` added nothing, or threw, all is as before.
  struct undo {
    sink_journal& journal;
    std::set<host_stamp_ptr, by_name>::iterator mark;
    bool is_new;
    std::size_t before;
    ~undo() {
      if (is_new && journal.pending_.size() == before) journal.with_lines_.erase(mark);
    }
  };
  const undo if_nothing_came{*this, mark, is_new, pending_.size()};
  ledger.part_after(part_after());
  try {
    return make(pending_);
  } catch (...) {
    pending_.resize(if_nothing_came.before);
    throw;
  }
}

const std::string& sink_journal::open_run(const host_stamp_ptr& run, const run_opening& opening) {
  if (const auto known = runs_.find(run); known != runs_.end()) return known->second.chain();
  const wall_time now = clock_.now();
  run_ledger ledger = opening.recovered ? run_ledger{run, *opening.recovered, sealing_}
                                        : run_ledger{run, new_chain(*run, now, *epochs_), sealing_};
  append_lines(run, ledger, [&](std::string& out) {
    ledger.open(out, now, opening);
    if (host_chain_ != nullptr && !opening.recovered) pending_openings_.push_back(ledger.chain());
  });
  return runs_.emplace(run, std::move(ledger)).first->second.chain();
}

log_share& sink_journal::share_of(const host_stamp& run, monotonic_time now) {
  if (const auto known = shares_.find(run.cell_id); known != shares_.end()) return known->second;
  if (shares_.size() >= sweep_shares_at_) {
    std::erase_if(shares_, [now](auto& share) { return share.second.full(now); });
    sweep_shares_at_ = shares_.size() * 2 + 64;
  }
  return shares_.emplace(run.cell_id, share_limits_).first->second;
}

log_share::allowance sink_journal::allowance(const host_stamp_ptr& run, const batch& arrived, monotonic_time now) {
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end() || !ledger->second.awaits(arrived.chunk->sequence)) return {};
  // A guest that is not read from must not be taken for one that fell silent.
  const std::chrono::nanoseconds longest_hold = ledger->second.silence_window() / 2;
  return share_of(*run, now).ask(arrived.declarations.size(), now, longest_hold);
}

run_ledger::result sink_journal::take(const host_stamp_ptr& run, const batch& arrived, monotonic_time now,
                                      std::uint64_t most_declarations) {
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end()) return run_ledger::result::duplicate;
  const std::size_t before = pending_.size();
  const auto taken = append_lines(ledger->first, ledger->second, [&](std::string& out) {
    return ledger->second.take(out, arrived, most_declarations);
  });
  if (pending_.size() > before) {
    const auto declarations = std::min<std::uint64_t>(arrived.declarations.size(), most_declarations);
    share_of(*run, now).spend(pending_.size() - before, declarations, now);
  }
  part(ledger->first, ledger->second);
  return taken;
}

run_ledger::result sink_journal::quarantine(const host_stamp_ptr& run, const quarantined_chunk& chunk,
                                            monotonic_time now) {
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end()) return run_ledger::result::duplicate;
  const std::size_t before = pending_.size();
  const auto taken = append_lines(
      run, ledger->second, [&](std::string& out) { return ledger->second.quarantine(out, clock_.now(), chunk); });
  share_of(*run, now).spend(pending_.size() - before, 0, now);
  return taken;
}

bool sink_journal::silence(const host_stamp_ptr& run, const agent_silenced& silence) {
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end()) return false;
  return append_lines(run, ledger->second,
                      [&](std::string& out) { return ledger->second.silence(out, clock_.now(), silence); });
}

run_account sink_journal::account(const host_stamp_ptr& run) const {
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end()) return {};
  const run_ledger& known = ledger->second;
  return {known.totals(), known.received_before(), known.silenced(), known.silence_told(), known.last_frame()};
}

run_totals sink_journal::close_run(const host_stamp_ptr& run, const run_closing& closing) {
  if (const auto before = closed_.find(run); before != closed_.end()) return before->second;
  std::erase_if(closed_, [](const auto& ended) { return ended.first.use_count() == 1; });
  const auto ledger = runs_.find(run);
  if (ledger == runs_.end()) return {};
  const run_totals totals = append_lines(run, ledger->second, [&](std::string& out) {
    return ledger->second.close(out, clock_.now(), closing.reason, closing.frames_received, closing.connections);
  });
  if (host_chain_ != nullptr) pending_ends_.push_back(ledger->second.end_mark());
  heads_of_ended_.push_back(ledger->second.head());
  runs_.erase(ledger);
  closed_.emplace(run, totals);
  return totals;
}

void sink_journal::summarise_losses(monotonic_time now,
                                    const std::function<void(const host_stamp&, const refusal_counts&)>& refused) {
  const wall_time dated = clock_.now();
  for (auto& [run, ledger] : runs_) {
    if (!ledger.has_losses()) continue;
    log_share& share = share_of(*run, now);
    if (share.in_debt(now)) continue;
    const std::size_t before = pending_.size();
    const refusal_counts kinds = append_lines(
        run, ledger, [&ledger = ledger, dated](std::string& out) { return ledger.summarise_losses(out, dated); });
    share.spend(pending_.size() - before, 0, now);
    if (kinds.total() != 0) refused(*run, kinds);
  }
}

bool sink_journal::has_losses() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run.second.has_losses(); });
}

bool sink_journal::has_losses(const host_stamp_ptr& run) const {
  const auto ledger = runs_.find(run);
  return ledger != runs_.end() && ledger->second.has_losses();
}

void sink_journal::checkpoint() {
  const wall_time now = clock_.now();
  for (auto& [run, ledger] : runs_) {
    append_lines(run, ledger, [&ledger = ledger, now](std::string& out) { ledger.checkpoint(out, now); });
  }
}

bool sink_journal::signs_each_event() const {
  return sealing_ && sealing_->events_per_signature() == 1 && !sealing_->key_id().empty();
}

bool sink_journal::has_unsigned() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run.second.unsigned_events() != 0; });
}

bool sink_journal::has_unsigned(const host_stamp_ptr& run) const {
  const auto ledger = runs_.find(run);
  return ledger != runs_.end() && ledger->second.unsigned_events() != 0;
}

void sink_journal::change_key(const event_sealing_ptr& sealing) {
  sealing_ = sealing;
  const wall_time now = clock_.now();
  for (auto& [run, ledger] : runs_) {
    append_lines(run, ledger, [&, &ledger = ledger](std::string& out) { ledger.change_key(out, now, sealing); });
  }
}

std::vector<chain_head> sink_journal::pending_heads() const {
  std::vector<chain_head> heads = heads_of_ended_;
  for (const host_stamp_ptr& run : with_lines_) {
    if (const auto ledger = runs_.find(run); ledger != runs_.end()) heads.push_back(ledger->second.head());
  }
  return heads;
}

/// What is pending when a call begins, what it makes until it is parted, and a line: together less than an append may
/// bring.
std::size_t sink_journal::part_after() const { return log_.largest_append() / 4; }

/// A batch is at most a chunk, but the log may be smaller.
void sink_journal::part(const host_stamp_ptr& run, run_ledger& ledger) {
  for (run_ledger::parting& each : ledger.take_partings()) {
    std::vector<chain_head> heads = pending_heads();
    std::erase_if(heads, [&](const chain_head& head) { return head.position.chain == ledger.chain(); });
    heads.push_back(std::move(each.head));
    part_at(each.end, std::move(heads));
    with_lines_.insert(run);
  }
}

void sink_journal::part_at(std::size_t end, std::vector<chain_head> heads) {
  pieces_.push_back(
      {end - parted_bytes_, std::move(heads), std::exchange(pending_openings_, {}), std::exchange(pending_ends_, {})});
  parted_bytes_ = end;
  heads_of_ended_.clear();
  with_lines_.clear();
}

std::error_code sink_journal::write_parted() {
  while (!pieces_.empty()) {
    const piece& next = pieces_.front();
    const auto lines = std::string_view{pending_}.substr(0, next.bytes);
    if (const std::error_code refused = write(lines, next.heads, next.openings, next.ends)) return refused;
    pending_.erase(0, next.bytes);
    parted_bytes_ -= next.bytes;
    pieces_.pop_front();
  }
  return {};
}

std::error_code sink_journal::write(std::string_view lines, std::span<const chain_head> heads,
                                    std::span<const std::string> openings, std::span<const run_end_mark> ends) {
  log_.await_room(lines.size());
  if (openings.empty() && ends.empty()) return log_.append(lines, heads);
  return host_chain_->append(lines, heads, openings, ends);
}

std::error_code sink_journal::flush() {
  if (host_chain_ != nullptr) {
    if (const std::error_code refused = host_chain_->flush()) return refused;
  }
  if (pending_.empty()) return {};
  if (const std::error_code refused = write_parted()) return refused;
  if (!pending_.empty()) {
    if (const std::error_code refused = write(pending_, pending_heads(), pending_openings_, pending_ends_)) {
      return refused;
    }
  }
  if (pending_.capacity() > keep_buffer_bytes) {
    pending_ = {};
  } else {
    pending_.clear();
  }
  pending_openings_.clear();
  pending_ends_.clear();
  heads_of_ended_.clear();
  with_lines_.clear();
  return {};
}

}  // namespace cellos
