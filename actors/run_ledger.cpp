#include "actors/run_ledger.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace cellos {

namespace {

void saturating_add(std::uint64_t& sum, std::uint64_t more) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  sum = sum > max - more ? max : sum + more;
}

}  // namespace

void run_ledger::open(std::string& out, wall_time now, const run_opening& opening) {
  if (!opening.recovered) {
    projection_.run_started(out, books_.next_event, now, opening);
    ++books_.next_event;
    return;
  }
  const recovered_run& before = *opening.recovered;
  projection_.run_resumed(out, before.next_event, now, opening);
  books_.next_event = before.next_event + 1;
  books_.totals = before.totals;
  received_before_ = before.totals.received;
  books_.silence_told = before.silence_told;
  books_.resumed = before.resumed;
}

run_ledger::verdict run_ledger::take(std::string& out, const batch& arrived) {
  const received_chunk& chunk = *arrived.chunk;
  if (chunk.sequence < books_.next_chunk) return verdict::duplicate;
  if (chunk.sequence > books_.next_chunk) return verdict::gap;

  books next = books_;
  ++next.next_chunk;
  bool resumed = false;
  if (arrived.accepted() > 0) {
    next.last_accepted = chunk.received_mono;
    next.last_frame = chunk.received_at;
    resumed = resume_if_silenced(next, out, chunk.received_at);
  }
  const timestamp_text received{chunk.received_at};
  for (const guest_declaration& declared : arrived.declarations) {
    projection_.declaration(out, next.next_event++, received, declared);
  }
  next.totals.received += chunk.frames;
  next.totals.appended += arrived.declarations.size();
  next.totals.heartbeats += arrived.heartbeats;
  next.totals.refused += arrived.refused;
  next.totals.forged_attribution += arrived.forged_attribution;
  account_losses(next, arrived);
  books_ = std::move(next);
  return resumed ? verdict::taken_and_resumed : verdict::taken;
}

run_ledger::verdict run_ledger::quarantine(std::string& out, wall_time now, const quarantined_chunk& chunk) {
  if (chunk.sequence < books_.next_chunk) return verdict::duplicate;
  if (chunk.sequence > books_.next_chunk) return verdict::gap;
  projection_.telemetry_dropped(out, books_.next_event, now, {loss_reason::quarantined, chunk.frames, {}, chunk.file});
  ++books_.next_event;
  ++books_.next_chunk;
  books_.totals.received += chunk.frames;
  books_.totals.quarantined += chunk.frames;
  return verdict::taken;
}

/// A guest's counters are per connection: the account ends with it.
void run_ledger::account_losses(books& next, const batch& arrived) {
  next.losses.refused += arrived.refused;
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
      saturating_add(next.losses.missing_seq, said.missing_within);
      account->next_seq = said.next_seq;
    }
    if (said.has_dropped) {
      if (said.dropped > account->dropped) {
        saturating_add(next.losses.dropped_by_guest, said.dropped - account->dropped);
      }
      account->dropped = said.dropped;
    }
  }
  if (chunk.ending != chunk_ending::none && account != next.connections.end()) next.connections.erase(account);
}

bool run_ledger::resume_if_silenced(books& next, std::string& out, wall_time received) const {
  if (!next.silence_told || std::exchange(next.resumed, true)) return false;
  projection_.agent_resumed(out, next.next_event++, received);
  return true;
}

bool run_ledger::silence(std::string& out, wall_time now, const agent_silenced& silence) {
  if (books_.silence_told) return false;
  books next = books_;
  next.silence_told = true;
  projection_.agent_silenced(out, next.next_event++, now, silence);
  // The silence may reach us after the frames that ended it.
  if (next.last_accepted > silence.last_accepted) resume_if_silenced(next, out, now);
  books_ = std::move(next);
  return true;
}

bool run_ledger::has_losses() const {
  const unreported_losses& losses = books_.losses;
  return losses.dropped_by_guest != 0 || losses.missing_seq != 0 || losses.refused.total() != 0;
}

refusal_counts run_ledger::summarise_losses(std::string& out, wall_time now) {
  if (!has_losses()) return {};
  books next = books_;
  const unreported_losses losses = std::exchange(next.losses, {});
  const auto tell = [&](loss_reason reason, std::uint64_t frames) {
    if (frames != 0) projection_.telemetry_dropped(out, next.next_event++, now, {reason, frames, losses.refused, {}});
  };
  tell(loss_reason::guest_queue_full, losses.dropped_by_guest);
  tell(loss_reason::sequence_gap, losses.missing_seq);
  tell(loss_reason::frames_refused, losses.refused.total());
  books_ = std::move(next);
  return losses.refused;
}

run_totals run_ledger::close(std::string& out, wall_time now, run_end_reason reason, std::uint64_t received,
                             std::uint64_t connections) {
  summarise_losses(out, now);
  // Whoever closes a run it never got hold of knows of fewer frames than are settled.
  books_.totals.received = std::max(received_before_ + received, books_.totals.settled());
  books_.totals.connections = connections;
  projection_.run_ended(out, books_.next_event, now, reason, books_.totals);
  ++books_.next_event;
  return books_.totals;
}

}  // namespace cellos
