#include "actors/run_ledger.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace cellos {

namespace {

void saturating_add(std::uint64_t& sum, std::uint64_t more) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  sum = sum > max - more ? max : sum + more;
}

}  // namespace

run_ledger::run_ledger(host_stamp_ptr attribution, const recovered_run& left, const event_sealing_ptr& sealing)
    : projection_(std::move(attribution), left, left.sealed ? sealing : nullptr),
      received_before_(left.totals.received),
      adopted_(left.adopted) {
  state_.totals = left.totals;
  state_.silence_told = left.silence_told;
  state_.resumed = left.resumed;
}

chain_head run_ledger::head() const { return head_of(position(), state_); }

chain_head run_ledger::head_of(chain_position position, const state& at) const {
  return {
      std::move(position), run_state{projection_.attribution(), at.totals, at.silence_told, at.resumed, at.ended}, {}};
}

run_end_mark run_ledger::end_mark() const {
  event_place end = projection_.chain().end();
  return {chain(), end.sequence, std::move(end.digest)};
}

run_ledger::state run_ledger::begin(std::string& out, wall_time now) {
  partings_.clear();
  witnessed_.begin();
  projection_.begin(out, now);
  return state_;
}

void run_ledger::commit(std::string& out, state&& next) {
  projection_.chain().commit(out);
  state_ = std::move(next);
  witnessed_.commit();
  if (progress_) progress_->publish(state_.totals, received_before_, silenced());
}

void run_ledger::checkpoint(std::string& out, wall_time now) {
  if (unsigned_events() == 0) return;
  state next = begin(out, now);
  projection_.run_checkpoint(out, now);
  commit(out, std::move(next));
}

void run_ledger::change_key(std::string& out, wall_time now, const event_sealing_ptr& sealing) {
  chain_writer& chain = projection_.chain();
  const chain_writer::state before = chain.save();
  try {
    if (chain.change_key(sealing)) commit(out, begin(out, now));
  } catch (...) {
    chain.restore(before);
    throw;
  }
}

void run_ledger::open(std::string& out, wall_time now, const run_opening& opening) {
  progress_ = opening.progress;
  witnessed_.watch(opening.witness);
  state next = begin(out, now);
  if (opening.recovered) {
    witnessed_.restarted(next_line(), now);
    projection_.run_resumed(out, now, opening);
  } else {
    projection_.run_started(out, now, opening);
  }
  commit(out, std::move(next));
  silence_window_ = opening.silence_window;
}

void run_ledger::restarted(std::string& out, wall_time now) {
  state next = begin(out, now);
  if (adopted_) projection_.run_adopted(out, now, *adopted_);
  projection_.telemetry_dropped(out, now, {loss_reason::daemon_restart, {}, {}, {}});
  commit(out, std::move(next));
  adopted_.reset();
}

void run_ledger::count(state& next, const batch& arrived, std::uint64_t appended) {
  const std::uint64_t over_quota = arrived.declarations.size() - appended;
  next.totals.received += arrived.chunk->frames;
  next.totals.appended += appended;
  next.totals.heartbeats += arrived.heartbeats;
  next.totals.refused += arrived.refused;
  next.totals.refused.add(telemetry_errc::over_quota, over_quota);
  next.totals.forged_attribution += arrived.forged_attribution;
  next.losses.refused += arrived.refused;
  next.losses.refused.add(telemetry_errc::over_quota, over_quota);
}

run_ledger::result run_ledger::take(std::string& out, const batch& arrived, std::uint64_t most_declarations) {
  const received_chunk& chunk = *arrived.chunk;
  if (chunk.sequence < state_.next_chunk) return result::duplicate;
  if (chunk.sequence > state_.next_chunk) return result::gap;
  if (!arrived.attribution || !projection_.is_attributed(*arrived.attribution)) return result::misattributed;

  state next = begin(out, chunk.received_at);
  ++next.next_chunk;
  bool resumed = false;
  if (arrived.accepted() > 0) {
    next.last_accepted = chunk.received_mono;
    next.last_frame = chunk.received_at;
    resumed = resume_if_silenced(next, out, chunk.received_at);
  }
  const std::uint64_t appended = std::min<std::uint64_t>(arrived.declarations.size(), most_declarations);
  std::size_t unparted = out.size();
  for (std::uint64_t i = 0; i < appended; ++i) {
    part_if_due(next, out, unparted, i);
    const auto declared = arrived.stamped(i);
    witnessed_.declared(next_line(), chunk.received_at, declared.declared().source, declared.declared().guest_pid);
    projection_.declaration(out, declared);
  }
  count(next, arrived, appended);
  account_losses(next, arrived);
  commit(out, std::move(next));
  return resumed ? result::taken_and_resumed : result::taken;
}

/// Sealed up to here, the lines before are complete whatever becomes of those behind.
void run_ledger::part_if_due(state& next, std::string& out, std::size_t& since, std::uint64_t declarations) {
  if (out.size() - since < part_after_) return;
  projection_.chain().seal(out);
  parting here{out.size(), head_of(projection_.chain().sealed_position(), next)};
  here.head.run->totals.appended += declarations;
  here.head.run->totals.received += declarations;
  partings_.push_back(std::move(here));
  since = out.size();
}

run_ledger::result run_ledger::quarantine(std::string& out, wall_time now, const quarantined_chunk& chunk) {
  if (chunk.sequence < state_.next_chunk) return result::duplicate;
  if (chunk.sequence > state_.next_chunk) return result::gap;
  state next = begin(out, now);
  witnessed_.lost(next_line(), now);
  projection_.telemetry_dropped(out, now, {loss_reason::quarantined, chunk.frames, {}, chunk.file});
  ++next.next_chunk;
  next.totals.received += chunk.frames;
  next.totals.quarantined += chunk.frames;
  commit(out, std::move(next));
  return result::taken;
}

/// A guest's counters are per connection: the account ends with it. The highest of each counts, so that one that goes
/// back and forth is not counted twice.
void run_ledger::account_losses(state& next, const batch& arrived) {
  const received_chunk& chunk = *arrived.chunk;
  auto account = std::find_if(next.connections.begin(), next.connections.end(),
                              [&](const auto& known) { return known.connection == chunk.connection; });
  const guest_loss_account& said = arrived.losses;
  if (said.has_seq || said.has_dropped) {
    if (account == next.connections.end()) {
      account = next.connections.insert(account, connection_account{chunk.connection, 0, 0});
    }
    if (said.has_seq) {
      if (said.first_seq > account->next_seq) {
        saturating_add(next.losses.missing_seq, said.first_seq - account->next_seq);
      }
      // Of what an earlier chunk went through or reported already, nothing is missing now. The highest one came.
      const std::uint64_t new_numbers = said.next_seq > account->next_seq ? said.next_seq - account->next_seq - 1 : 0;
      saturating_add(next.losses.missing_seq, std::min(said.missing_within, new_numbers));
      account->next_seq = std::max(account->next_seq, said.next_seq);
    }
    if (said.has_dropped) {
      if (said.dropped > account->dropped) {
        saturating_add(next.losses.dropped_by_guest, said.dropped - account->dropped);
      }
      account->dropped = std::max(account->dropped, said.dropped);
    }
  }
  if (chunk.ending != chunk_ending::none && account != next.connections.end()) next.connections.erase(account);
}

bool run_ledger::resume_if_silenced(state& next, std::string& out, wall_time received) {
  if (!next.silence_told || std::exchange(next.resumed, true)) return false;
  witnessed_.resumed(next_line(), received);
  projection_.agent_resumed(out, received);
  return true;
}

bool run_ledger::silence(std::string& out, wall_time now, const agent_silenced& silence) {
  if (state_.silence_told) return false;
  state next = begin(out, now);
  next.silence_told = true;
  witnessed_.silenced(next_line(), now, silence.observed - silence.last_accepted);
  projection_.agent_silenced(out, now, silence);
  // The silence may reach us after the frames that ended it.
  if (next.last_accepted > silence.last_accepted) resume_if_silenced(next, out, now);
  commit(out, std::move(next));
  return true;
}

void run_ledger::reading(std::string& out, wall_time now, const probe_reading& reading) {
  state next = begin(out, now);
  witnessed_.read(next_line(), reading.host_received_at.value_or(now), reading);
  projection_.host_reading(out, now, reading);
  commit(out, std::move(next));
}

void run_ledger::record_found(std::string& out, wall_time now) {
  if (found().empty()) return;
  state next = begin(out, now);
  for (const recorded_contradiction& each : found()) projection_.contradiction(out, now, each);
  commit(out, std::move(next));
  (void)witnessed_.take_found();
}

bool run_ledger::has_losses() const {
  const unreported_losses& losses = state_.losses;
  return losses.dropped_by_guest != 0 || losses.missing_seq != 0 || losses.refused.total() != 0;
}

refusal_counts run_ledger::summarise_losses(std::string& out, wall_time now) {
  if (!has_losses()) return {};
  state next = begin(out, now);
  const unreported_losses losses = std::exchange(next.losses, {});
  const auto report = [&](loss_reason reason, std::uint64_t frames) {
    if (frames == 0) return;
    witnessed_.lost(next_line(), now);
    projection_.telemetry_dropped(out, now, {reason, frames, losses.refused, {}});
  };
  report(loss_reason::guest_queue_full, losses.dropped_by_guest);
  report(loss_reason::sequence_gap, losses.missing_seq);
  report(loss_reason::frames_refused, losses.refused.total());
  commit(out, std::move(next));
  return losses.refused;
}

run_ledger::ending run_ledger::close(std::string& out, wall_time now, run_end_reason reason, std::uint64_t received,
                                     std::uint64_t connections) {
  const state before = state_;
  std::optional<witnessed_run> unrecorded;
  const chain_writer::state stood = projection_.chain().save();
  try {
    summarise_losses(out, now);
    unrecorded = witnessed_;
    record_found(out, now);
    state next = begin(out, now);
    // Whoever closes a run it never got hold of knows of fewer frames than are settled.
    next.totals.received = std::max(received_before_ + received, next.totals.settled());
    next.totals.connections = connections;
    projection_.run_ended(out, now, reason, next.totals);
    next.ended = true;
    commit(out, std::move(next));
    return {state_.totals, end_mark(), head()};
  } catch (...) {
    state_ = before;
    // Whoever compares has seen what the summaries say, and does not find the same again.
    if (unrecorded) witnessed_ = std::move(*unrecorded);
    projection_.chain().restore(stood);
    if (progress_) progress_->publish(state_.totals, received_before_, silenced());
    throw;
  }
}

}  // namespace cellos
