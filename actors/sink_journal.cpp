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

/// Cuts away what was added since, unless it is to stay.
struct sink_journal::undo {
  sink_journal& journal;
  const host_stamp_ptr& run;
  bool is_new;
  std::size_t lines = journal.pending_.size();
  std::size_t before = journal.said_before_.size();
  std::size_t behind = journal.said_behind_.size();
  std::size_t ended = journal.heads_of_ended_.size();

  void cut() const {
    journal.pending_.resize(lines);
    journal.said_before_.erase(journal.said_before_.begin() + static_cast<std::ptrdiff_t>(before),
                               journal.said_before_.end());
    journal.said_behind_.erase(journal.said_behind_.begin() + static_cast<std::ptrdiff_t>(behind),
                               journal.said_behind_.end());
    journal.heads_of_ended_.erase(journal.heads_of_ended_.begin() + static_cast<std::ptrdiff_t>(ended),
                                  journal.heads_of_ended_.end());
  }
  ~undo() {
    if (is_new && journal.pending_.size() == lines) journal.with_lines_.erase(run);
  }
};

template <class Make>
decltype(auto) sink_journal::append_lines(const host_stamp_ptr& run, run_ledger& ledger, Make&& make) {
  if (pending_.size() - parted_bytes_ >= part_after()) part_at(pending_.size(), pending_heads());
  const undo former{*this, run, with_lines_.insert(run).second};
  ledger.part_after(part_after());
  try {
    return make(pending_);
  } catch (...) {
    former.cut();
    throw;
  }
}

const std::string& sink_journal::open_run(const host_stamp_ptr& run, const run_opening& opening) {
  if (const auto known = find(run); known != runs_.end()) return known->second.chain();
  const wall_time now = clock_.now();
  run_ledger ledger = opening.recovered ? run_ledger{run, *opening.recovered, sealing_}
                                        : run_ledger{run, new_chain(*run, now, *epochs_), sealing_};
  return append_lines(run, ledger, [&](std::string& out) -> const std::string& {
    ledger.open(out, now, opening);
    if (lists_runs() && !opening.recovered) said_before_.emplace_back(run_begin_mark{ledger.chain()});
    const auto address = by_address_.emplace(run.get(), runs_.end()).first;
    try {
      address->second = runs_.emplace(run, std::move(ledger)).first;
    } catch (...) {
      by_address_.erase(address);
      throw;
    }
    return address->second->second.chain();
  });
}

sink_journal::open_runs::iterator sink_journal::find(const host_stamp_ptr& run) {
  const auto known = by_address_.find(run.get());
  return known == by_address_.end() ? runs_.end() : known->second;
}

sink_journal::open_runs::const_iterator sink_journal::find(const host_stamp_ptr& run) const {
  const auto known = by_address_.find(run.get());
  return known == by_address_.end() ? runs_.end() : open_runs::const_iterator{known->second};
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
  const auto ledger = find(run);
  if (ledger == runs_.end() || !ledger->second.awaits(arrived.chunk->sequence)) return {};
  // A guest that is not read from must not be taken for one that fell silent.
  const std::chrono::nanoseconds longest_hold = ledger->second.silence_window() / 2;
  return share_of(*run, now).ask(arrived.declarations.size(), now, longest_hold);
}

run_ledger::result sink_journal::take(const host_stamp_ptr& run, const batch& arrived, monotonic_time now,
                                      std::uint64_t most_declarations) {
  const auto ledger = find(run);
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
  const auto ledger = find(run);
  if (ledger == runs_.end()) return run_ledger::result::duplicate;
  const std::size_t before = pending_.size();
  const auto taken = append_lines(
      run, ledger->second, [&](std::string& out) { return ledger->second.quarantine(out, clock_.now(), chunk); });
  share_of(*run, now).spend(pending_.size() - before, 0, now);
  return taken;
}

bool sink_journal::silence(const host_stamp_ptr& run, const agent_silenced& silence) {
  const auto ledger = find(run);
  if (ledger == runs_.end()) return false;
  return append_lines(run, ledger->second,
                      [&](std::string& out) { return ledger->second.silence(out, clock_.now(), silence); });
}

void sink_journal::reading(const host_stamp_ptr& run, const probe_reading& reading, monotonic_time now) {
  const auto ledger = find(run);
  if (ledger == runs_.end()) return;
  const std::size_t before = pending_.size();
  append_lines(run, ledger->second, [&](std::string& out) { ledger->second.reading(out, clock_.now(), reading); });
  share_of(*run, now).spend(pending_.size() - before, 0, now);
}

std::vector<recorded_contradiction> sink_journal::record_found(const host_stamp_ptr& run) {
  const auto ledger = find(run);
  if (ledger == runs_.end() || ledger->second.found().empty()) return {};
  std::vector<recorded_contradiction> found = ledger->second.found();
  append_lines(run, ledger->second, [&](std::string& out) { ledger->second.record_found(out, clock_.now()); });
  return found;
}

void sink_journal::record_all_found(const contradiction_listener& hears) {
  for (const auto& [run, ledger] : runs_) {
    for (const recorded_contradiction& each : record_found(run)) hears(*run, each);
  }
}

run_account sink_journal::account(const host_stamp_ptr& run) const {
  const auto ledger = find(run);
  if (ledger == runs_.end()) return {};
  const run_ledger& known = ledger->second;
  return {known.totals(), known.received_before(), known.silenced(), known.silence_told(), known.last_frame()};
}

run_totals sink_journal::close_run(const host_stamp_ptr& run, const run_closing& closing) {
  if (const auto before = closed_.find(run); before != closed_.end()) return before->second;
  std::erase_if(closed_, [](const auto& ended) { return ended.first.use_count() == 1; });
  const auto ledger = find(run);
  if (ledger == runs_.end()) return {};
  const auto closed = closed_.emplace(run, run_totals{}).first;
  try {
    append_lines(run, ledger->second, [&](std::string& out) {
      // Once the ledger has ended nothing may fail.
      said_behind_.reserve(said_behind_.size() + 1);
      heads_of_ended_.reserve(heads_of_ended_.size() + 1);
      run_ledger::ending end =
          ledger->second.close(out, clock_.now(), closing.reason, closing.frames_received, closing.connections);
      closed->second = end.totals;
      if (lists_runs()) said_behind_.emplace_back(std::move(end.mark));
      heads_of_ended_.push_back(std::move(end.head));
    });
  } catch (...) {
    closed_.erase(closed);
    throw;
  }
  by_address_.erase(run.get());
  runs_.erase(ledger);
  return closed->second;
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
  const auto ledger = find(run);
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
  const auto ledger = find(run);
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
  std::vector<chain_head> heads;
  heads.reserve(heads_of_ended_.size() + with_lines_.size());
  heads = heads_of_ended_;
  for (const host_stamp_ptr& run : with_lines_) {
    if (const auto ledger = find(run); ledger != runs_.end()) heads.push_back(ledger->second.head());
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
  piece& parted = pieces_.emplace_back();
  parted.bytes = end - parted_bytes_;
  parted.heads = std::move(heads);
  parted.before = std::exchange(said_before_, {});
  parted.behind = std::exchange(said_behind_, {});
  parted_bytes_ = end;
  heads_of_ended_.clear();
  with_lines_.clear();
}

void sink_journal::record(log_blockage blockage) {
  if (lists_runs()) said_behind_.emplace_back(std::move(blockage));
}

bool sink_journal::has_pending() const {
  return handed_over_ || !pieces_.empty() || !pending_.empty() || !said_before_.empty() || !said_behind_.empty();
}

std::uint64_t sink_journal::bytes_made() const {
  return written_ + (handed_over_ ? handed_over_->lines.size() : 0) + pending_.size();
}

std::error_code sink_journal::flush() {
  if (handed_over_) log_.await_room(handed_over_->lines.size());
  while (!handed_over_ && has_pending()) {
    if (pieces_.empty()) part_at(pending_.size(), pending_heads());
    const piece& next = pieces_.front();
    log_.await_room(next.bytes);
    if (!next.before.empty() || !next.behind.empty()) {
      hand_over();
      break;
    }
    if (const auto refused = log_.append(std::string_view{pending_}.substr(0, next.bytes), next.heads)) return refused;
    written_ += next.bytes;
    parted_bytes_ -= next.bytes;
    pending_.erase(0, next.bytes);
    pieces_.pop_front();
  }
  if (pending_.empty() && pending_.capacity() > keep_buffer_bytes) pending_ = {};
  return {};
}

/// All that may fail comes first.
void sink_journal::hand_over() {
  piece& next = pieces_.front();
  auto made = std::make_shared<joint_append>();
  made->origin = origin_;
  const bool is_all = next.bytes == pending_.size();
  if (!is_all) made->lines = pending_.substr(0, next.bytes);
  if (is_all) {
    made->lines = std::exchange(pending_, {});
  } else {
    pending_.erase(0, next.bytes);
  }
  made->before = std::move(next.before);
  made->heads = std::move(next.heads);
  made->behind = std::move(next.behind);
  made->number = ++last_number_;
  parted_bytes_ -= next.bytes;
  pieces_.pop_front();
  handed_over_ = std::move(made);
}

void sink_journal::appended_by_host_chain() {
  written_ += handed_over_->lines.size();
  handed_over_.reset();
}

}  // namespace cellos
