// What follows for each chain from what is expected and what is found.

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "runtime/signing/material.hpp"

namespace cellos {

namespace {

event_place place_of(const chain_position& position) {
  event_place place{position.next_event - 1, {}};
  if (position.sealed) place.digest = prevdigest_text{position.digest}.view();
  return place;
}

event_place expected_end(const chain_recovery& chain) {
  return chain.expected() == nullptr ? event_place{} : place_of(chain.expected()->last().position);
}

run_end_mark end_mark(const std::string& chain, const event_place& end) { return {chain, end.sequence, end.digest}; }

}  // namespace

/// The one that was written to last and took no other's place.
void run_recovery::find_host_chain() {
  if (!has_journal()) {
    host_chain_ = last_host_chain_in_log_;
    return;
  }
  for (const auto& [name, chain] : expected_) {
    if (!chain.milestones.empty() && !chain.last().run && !chain.closed) host_chain_ = name;
  }
}

void run_recovery::conclude_journal(recovery_conclusions& into) const {
  if (lines_ == 0 && !has_journal()) {
    // A journal without a log is not how a host begins.
    if (terms_.journal.trouble == journal_trouble::unauthentic) into.findings.emplace_back(*terms_.journal.trouble);
    return;
  }
  log_identity& identity = into.written_by.emplace();
  if (has_journal()) {
    identity = {terms_.journal.header->host_id, terms_.journal.header->signing};
    into.highest_epoch = terms_.journal.header->highest_epoch;
  } else if (const auto host = chains_.find(host_chain_); host != chains_.end()) {
    identity = {std::string{parse_chain_name(host_chain_)->host}, host->second.statement()};
  } else if (!chains_.empty()) {
    identity.host_id = chains_.begin()->second.state().attribution.host_id;
  }
  if (is_journal_behind()) into.findings.emplace_back(journal_trouble::behind);
  if (!terms_.journal.trouble) return;
  // Nothing was promised: what it was authentic under is no key, and now there is one.
  if (*terms_.journal.trouble == journal_trouble::unauthentic && said_how_sealed_ && !said_signed_) return;
  const bool says_nothing = *terms_.journal.trouble == journal_trouble::absent && !said_how_sealed_;
  into.findings.emplace_back(says_nothing ? journal_trouble::former_version : *terms_.journal.trouble);
}

/// Each append is noted before it is made, and what is noted outlives all but a loss of power.
bool run_recovery::is_journal_behind() const {
  if (!has_journal() || !same_boot_ || terms_.journal.trouble) return false;
  return std::ranges::any_of(chains_, [this](const auto& each) {
    const chain_recovery& chain = each.second;
    return chain.expected() != nullptr && chain.vouched_until(terms_.keys) > expected_end(chain).sequence;
  });
}

/// Behind which events of `chain` nothing of ours vouches for it. Without a journal and without a key there is nothing
/// that could.
std::uint64_t run_recovery::vouched_until(const chain_recovery& chain) const {
  const bool says_unsigned = said_how_sealed_ && !said_signed_;
  const bool nothing_could = !has_journal() && (!has_keys() || !chain.state().sealed || says_unsigned);
  return nothing_could ? chain.place().sequence : chain.vouched_until(terms_.keys);
}

run_recovery::comparison run_recovery::compare(const chain_recovery& chain) const {
  const event_place found = chain.place();
  const event_place wanted = expected_end(chain);
  if (chain.is_broken()) return comparison::broken;
  if (chain.expected() != nullptr && found == wanted) return comparison::as_expected;
  if (found.sequence >= wanted.sequence) return comparison::further;
  if (only_the_volatile_is_missing(*chain.expected(), found.sequence)) return comparison::lost;
  return comparison::cut_back;
}

void run_recovery::conclude_host_chain(recovery_conclusions& into) {
  const auto present = chains_.find(host_chain_);
  if (present == chains_.end()) return;
  const chain_recovery& chain = present->second;
  const event_place found = chain.place();
  const std::uint64_t vouched = vouched_until(chain);
  const comparison result = compare(chain);
  const bool is_ours = vouched >= found.sequence || (result == comparison::lost && !has_keys());
  const bool goes_on =
      result == comparison::as_expected || ((result == comparison::lost || result == comparison::further) && is_ours);
  host_vouched_until_ = goes_on ? found.sequence : vouched;
  if (result == comparison::lost && goes_on) {
    into.findings.emplace_back(lost_events{host_chain_, expected_end(chain).sequence, found.sequence});
  }
  if (goes_on && found.sequence > 0) {
    into.host_chain = chain.state();
    into.host_stopped = chain.ended();
    return;
  }
  const event_place end = chain.expected() == nullptr ? found : expected_end(chain);
  into.former = former_chain{host_chain_, end};
  if (goes_on) return;
  const auto cause = result == comparison::cut_back ? abandon_cause::cut_back : abandon_cause::broken;
  abandon(into, chain, cause, expected_end(chain), false);
}

void run_recovery::conclude_chain(recovery_conclusions& into, chain_recovery& chain) {
  const auto listed = listed_end(chain.name());
  const expected_chain* const wanted = chain.expected();
  if (wanted != nullptr && wanted->closed) {
    conclude_closed(into, chain, expected_end(chain), wanted->closing_listed || listed.has_value());
  } else if (listed) {
    conclude_closed(into, chain, *listed, true);
  } else if (chain.is_host()) {
    // Another host's, or one of ours whose place another has taken.
    if (has_journal()) return abandon(into, chain, abandon_cause::unknown_chain, {}, false);
    remember_closed(into, chain, false);
  } else {
    conclude_open(into, chain);
  }
}

void run_recovery::conclude_closed(recovery_conclusions& into, const chain_recovery& chain, const event_place& end,
                                   bool listed) {
  const event_place found = chain.place();
  const bool same = !chain.is_broken() && found.sequence == end.sequence &&
                    (end.digest.empty() || found.digest.empty() || found.digest == end.digest);
  if (!same) return abandon(into, chain, abandon_cause::was_closed, end, !listed && !chain.is_host());
  if (!listed && !chain.is_host()) into.closings.push_back(end_mark(chain.name(), end));
  remember_closed(into, chain, false);
}

void run_recovery::conclude_open(recovery_conclusions& into, chain_recovery& chain) {
  const event_place found = chain.place();
  const event_place wanted = expected_end(chain);
  const std::uint64_t vouched = vouched_until(chain);
  const bool is_known = chain.expected() != nullptr || is_listed(chain.name()) || (!has_journal() && vouched != 0);
  if (!is_known) return abandon(into, chain, abandon_cause::unknown_chain, {}, false);
  switch (compare(chain)) {
    case comparison::broken:
      return abandon(into, chain, abandon_cause::broken, chain.expected() == nullptr ? found : wanted,
                     has_journal() || is_listed(chain.name()));
    case comparison::cut_back: return abandon(into, chain, abandon_cause::cut_back, wanted, true);
    case comparison::lost:
      into.findings.emplace_back(lost_events{chain.name(), wanted.sequence, found.sequence});
      if (found.sequence == 0) return;
      return go_on(into, chain, has_keys() ? vouched : found.sequence);
    case comparison::as_expected: return go_on(into, chain, found.sequence);
    case comparison::further: break;
  }
  if (vouched < found.sequence || !chain.ended()) return go_on(into, chain, vouched);
  if (has_journal() || is_listed(chain.name())) into.closings.push_back(end_mark(chain.name(), found));
  remember_closed(into, chain, false);
}

void run_recovery::go_on(recovery_conclusions& into, const chain_recovery& chain, std::uint64_t vouched) {
  recovered_run& run = into.open_runs.emplace_back(chain.state());
  const event_place found = chain.place();
  if (vouched < found.sequence) run.adopted = adopted_range{chain.name(), vouched + 1, found};
}

/// Opened on record, and not a line of them.
void run_recovery::conclude_unstarted(recovery_conclusions& into) {
  for (const auto& [name, said] : listings_) {
    if (chains_.contains(name) || !is_listed(name) || listed_end(name)) continue;
    if (const auto known = expected_.find(name); known != expected_.end() && known->second.closed) continue;
    into.closings.push_back({name, 0, {}});
  }
}

void run_recovery::abandon(recovery_conclusions& into, const chain_recovery& chain, abandon_cause cause,
                           const event_place& expected, bool close) {
  into.findings.emplace_back(abandoned_chain{chain.name(), cause, expected, chain.place()});
  if (close) into.closings.push_back(end_mark(chain.name(), expected));
  remember_closed(into, chain, true);
}

/// As it is found, so that the next start finds nothing new. What has no lines where it would look needs no memory.
void run_recovery::remember_closed(recovery_conclusions& into, const chain_recovery& chain, bool always) {
  if (!always && chain.segment() != terms_.last_segment) return;
  const recovered_run& state = chain.state();
  journaled_chain closed;
  closed.closed = true;
  closed.segment = chain.has_lines() ? chain.segment() : terms_.last_segment;
  closed.head.position = state;
  if (!chain.is_host()) {
    closed.head.run = run_state{std::make_shared<const host_stamp>(state.attribution), state.totals, state.silence_told,
                                state.resumed, chain.ended()};
  }
  into.closed.push_back(std::move(closed));
}

}  // namespace cellos
