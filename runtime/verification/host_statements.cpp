#include "runtime/verification/host_statements.hpp"

#include <algorithm>
#include <utility>

#include "messages/chain_name.hpp"
#include "messages/escaped_text.hpp"
#include "runtime/signing/material.hpp"

namespace cellos::verification {

namespace {

constexpr std::size_t most_adoptions = 10'000;
constexpr std::size_t most_notes = 100;

bool same_event(const statement_source& one, const statement_source& other) {
  return one.sequence == other.sequence && one.chain == other.chain;
}

/// Adds a statement, unless it is a copy of one that is there. True if it was added.
template <class Statement>
bool add(std::vector<Statement>& known, Statement said) {
  if (known.size() == host_statements::most_of_a_kind) return false;
  const auto copy =
      std::find_if(known.begin(), known.end(), [&](const auto& each) { return same_event(each.source, said.source); });
  if (copy != known.end()) return false;
  known.push_back(std::move(said));
  return true;
}

}  // namespace

void host_statements::take(const line_result& line, line_place at, std::vector<line_fault>& faults) {
  if (line.facts == nullptr || !line.type) return;
  const statement_source source{std::string{line.chain}, line.sequence, at};
  switch (*line.type) {
    case event_type::host_run_opened:
    case event_type::host_run_closed: return take_listing(line, source, faults);
    case event_type::host_evidence_removed: return take_removals(line, source, faults);
    case event_type::run_adopted:
    case event_type::host_range_adopted: return take_adoption(line, source, faults);
    case event_type::host_chain_abandoned:
    case event_type::host_journal_unusable:
    case event_type::host_segments_missing:
    case event_type::host_line_not_understood: return take_contradiction(line, faults);
    case event_type::host_evidence_lost:
      return note("host " + escaped(parse_chain_name(line.chain)->host, 128) +
                  " lost what it had not made durable of chain " + escaped(line.facts->chain, 512) +
                  " when its machine stopped");
    case event_type::host_started: return take_succession(line, source, faults);
    case event_type::host_witnessed: return take_witness(line, source);
    default: return;
  }
}

/// Null, with a fault, where the statement is about a chain that is not the host's.
chain_statements* host_statements::statements_of(const statement_source& source, std::string_view about,
                                                 std::vector<line_fault>& faults) {
  const auto speaker = parse_chain_name(source.chain);
  const auto subject = parse_chain_name(about);
  if (!subject || !speaker || !speaker->is_host() || subject->host != speaker->host) {
    faults.push_back({finding_cause::foreign, "says something of chain " + escaped(about, 512) +
                                                  ", which is not of its host; that counts for nothing"});
    return nullptr;
  }
  chain_statements& said = chains_[std::string{about}];
  said.host = subject->host;
  return &said;
}

void host_statements::take_listing(const line_result& line, const statement_source& source,
                                   std::vector<line_fault>& faults) {
  if (line.facts->chain.empty()) return;
  chain_statements* said = statements_of(source, line.facts->chain, faults);
  if (said == nullptr) return;
  const auto again = [&](const char* what, const statement_source& first) {
    faults.push_back({finding_cause::contradicted, std::string{what} + " run " + escaped(line.facts->chain, 512) +
                                                       " a second time; the first was sequence " +
                                                       std::to_string(first.sequence) + " of " +
                                                       escaped(first.chain, 256)});
  };
  if (line.type == event_type::host_run_opened) {
    if (add(said->openings, {source}) && said->openings.size() > 1) again("opens", said->openings.front().source);
    return;
  }
  if (!line.facts->last_sequence) {
    faults.push_back({finding_cause::contradicted, "closes a run without saying where it ended"});
    return;
  }
  if (add(said->closings, {source, *line.facts->last_sequence, line.facts->last_digest}) && said->closings.size() > 1) {
    again("closes", said->closings.front().source);
  }
}

void host_statements::take_succession(const line_result& line, const statement_source& source,
                                      std::vector<line_fault>& faults) {
  const std::string& former = line.facts->former_chain;
  if (former.empty() || successions_.size() == most_of_a_kind) return;
  const auto one = parse_chain_name(source.chain);
  const auto other = parse_chain_name(former);
  if (!other || !other->is_host() || !one) {
    faults.push_back({finding_cause::foreign, "follows " + escaped(former, 512) + ", which is no host's chain"});
    return;
  }
  // Of a directory that was another host's: whether that one's chain is here is not this one's to say.
  if (other->host != one->host) return;
  successions_.push_back({source, former, line.facts->former_sequence.value_or(0), line.facts->former_digest});
}

/// A log whose host was given another id keeps the former's chains until retention takes them. Their removal is
/// believed of whoever signs with a key that signs for both.
bool host_statements::may_speak_of_removal(const line_result& line, std::string_view chain) const {
  const auto speaker = parse_chain_name(line.chain);
  const auto subject = parse_chain_name(chain);
  if (!speaker || !speaker->is_host() || !subject) return false;
  if (speaker->host == subject->host || !signatures_checked_) return true;
  return line.is_signed() && line.to_key->may_sign_for(subject->host);
}

void host_statements::take_removals(const line_result& line, const statement_source& source,
                                    std::vector<line_fault>& faults) {
  if (const auto speaker = parse_chain_name(source.chain); speaker && line.facts->last_segment) {
    auto& last = removed_segments_[std::string{speaker->host}];
    last = std::max(last, *line.facts->last_segment);
  }
  bool foreign = false;
  for (const removal_listing& each : line.facts->removed) {
    if (!may_speak_of_removal(line, each.chain)) {
      // Reported once a line, however many there are.
      if (!std::exchange(foreign, true)) (void)statements_of(source, each.chain, faults);
      continue;
    }
    chain_statements& said = chains_[each.chain];
    said.host = parse_chain_name(each.chain)->host;
    if (each.signing) said.removed_signing = each.signing;
    said.removals.try_emplace({each.last_sequence, each.last_digest}, removal_statement{source, each.open});
  }
}

void host_statements::take_adoption(const line_result& line, const statement_source& source,
                                    std::vector<line_fault>& faults) {
  const std::string chain = line.type == event_type::run_adopted ? source.chain : line.facts->chain;
  if (line.type == event_type::host_range_adopted && statements_of(source, chain, faults) == nullptr) return;
  const std::uint64_t from = line.facts->adopted_from.value_or(0);
  const auto known = std::find_if(adoptions_.begin(), adoptions_.end(), [&](const adoption_statement& each) {
    return each.chain == chain && each.from == from;
  });
  if (known != adoptions_.end() || adoptions_.size() == most_adoptions) return;
  adoptions_.push_back({source, chain, from, line.facts->adopted_to.value_or(from)});
}

/// Nobody bears witness for himself.
void host_statements::take_witness(const line_result& line, const statement_source& source) {
  const auto& said = line.facts->witnessed;
  const auto speaker = parse_chain_name(source.chain);
  if (!said || !speaker || !speaker->is_host() || speaker->host == said->host) return;
  if (witnessed_hosts_.contains(said->host)) sworn_.push_back({source, *said, line.to_key});
}

/// What a host says it found at a start, and would not have found in an untouched log.
void host_statements::take_contradiction(const line_result& line, std::vector<line_fault>& faults) {
  const event_facts& said = *line.facts;
  const auto add_fault = [&](std::string words) { faults.push_back({finding_cause::contradicted, std::move(words)}); };
  switch (*line.type) {
    case event_type::host_chain_abandoned:
      return add_fault("at this start the host found chain " + escaped(said.chain, 512) + " not as it had left it (" +
                       escaped(said.cause, 64) + ") and did not go on with it");
    case event_type::host_segments_missing:
      return add_fault("at this start segments of the log were missing that the host had not removed");
    case event_type::host_line_not_understood: return add_fault("at this start the log held a line that is no event");
    default: break;
  }
  if (said.cause == "former_version") {
    return note(
        "host " + escaped(parse_chain_name(line.chain)->host, 128) +
        " took over a log of a version that kept no recovery journal: what lay behind the last signatures then was not "
        "vouched for");
  }
  add_fault("at this start the recovery journal was not usable (" + escaped(said.cause, 64) +
            "): the host could not know whether its log had been cut back");
}

void host_statements::note(std::string words) {
  if (notes_.size() < most_notes && std::find(notes_.begin(), notes_.end(), words) == notes_.end()) {
    notes_.push_back(std::move(words));
  }
}

bool host_statements::removed_until(std::string_view chain, std::uint64_t last, const digest& last_digest,
                                    bool sealed) const {
  const chain_statements* said = about(chain);
  if (said == nullptr) return false;
  if (sealed) return said->removals.contains({last, std::string{prevdigest_text{last_digest}.view()}});
  const auto found = said->removals.lower_bound({last, std::string{}});
  return found != said->removals.end() && found->first.first == last;
}

const chain_statements* host_statements::about(std::string_view chain) const {
  const auto found = chains_.find(chain);
  return found == chains_.end() ? nullptr : &found->second;
}

}  // namespace cellos::verification
