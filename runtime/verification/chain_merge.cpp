#include "runtime/verification/chain_merge.hpp"

#include <algorithm>
#include <optional>

#include "messages/chain_name.hpp"
#include "messages/escaped_text.hpp"
#include "runtime/signing/material.hpp"

namespace cellos::verification {

namespace {

std::string count_of(std::uint64_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// `sequence 7` or `sequences 7 to 9`.
std::string range(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "sequence " + std::to_string(first);
  return "sequences " + std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace

/// One chain while it is merged.
struct chain_merge::course {
  const std::string& chain;
  chain_report& report;
  std::vector<finding>& findings;
  /// In order, without overlaps.
  std::vector<piece> pieces;
  /// Of the events that hang together up to where the walk is.
  std::uint64_t group_signed = 0;
  const verification_key* group_key = nullptr;
  bool broken = false;

  void add(finding_cause cause, std::uint64_t sequence, const std::string& file, std::uint64_t line,
           std::string words) {
    findings.push_back({cause, chain, sequence, file, line, std::move(words)});
  }
};

std::string chain_merge::place_of(line_place at) const {
  return escaped(files_(at.file), 512) + ":" + std::to_string(at.line);
}

bool chain_merge::merge(const std::string& chain, const std::vector<chain_copy>& copies, second_pass& again,
                        chain_report& merged, std::vector<finding>& findings) const {
  merged = chain_report{};
  merged.chain = chain;
  if (const auto identity = parse_chain_name(chain)) {
    merged.host = identity->host;
    merged.cell = identity->cell;
    merged.run = identity->run;
  }
  course run{chain, merged, findings, {}, 0, nullptr, false};
  const bool whole = take_apart(run, copies, again);
  if (!compare_earlier(run, again) || !whole) return false;
  walk(run);
  verify_whole(run);
  return true;
}

/// What each log adds to those before it; the rest are copies, whose ends must agree.
bool chain_merge::take_apart(course& run, const std::vector<chain_copy>& copies, second_pass& again) const {
  std::vector<piece> all;
  for (const chain_copy& copy : copies) {
    for (const chain_range& section : copy.track.sections()) all.push_back({&section, copy.log});
  }
  std::stable_sort(all.begin(), all.end(), [](const piece& a, const piece& b) {
    return a.section->first != b.section->first ? a.section->first < b.section->first
                                                : a.section->last > b.section->last;
  });
  bool answered = true;
  auto& pieces = run.pieces;
  for (const piece& each : all) {
    const std::uint64_t covered = pieces.empty() ? 0 : pieces.back().section->last;
    if (each.section->first > covered) {
      pieces.push_back(each);
      continue;
    }
    const std::uint64_t last = each.section->last;
    run.report.copies += std::min(last, covered) - each.section->first + 1;
    if (last > covered) {
      const chain_range* rest = again.rest(each.log, run.chain, covered, last);
      answered &= rest != nullptr;
      // Until it is known, what the range covers is.
      pieces.push_back({rest != nullptr ? rest : each.section, each.log});
      continue;
    }
    const auto original =
        std::find_if(pieces.begin(), pieces.end(), [last](const piece& other) { return other.section->last >= last; });
    std::optional<digest> expected = original->section->last_material;
    if (original->section->last != last) expected = again.material(original->log, run.chain, last);
    answered &= expected.has_value();
    if (expected) compare_copy(run, each, *original, *expected);
  }
  return answered;
}

void chain_merge::compare_copy(course& run, const piece& copy, const piece& original, const digest& expected) const {
  const chain_range& section = *copy.section;
  const std::string other = "the copy in " + escaped(files_(original.section->last_place.file), 512);
  if (section.sealed != original.section->sealed) {
    run.add(finding_cause::not_signed, section.last, files_(section.last_place.file), section.last_place.line,
            "of " + other + " and this, only one carries digests");
  } else if (section.last_material != expected) {
    run.add(finding_cause::altered, section.last, files_(section.last_place.file), section.last_place.line,
            "differs from " + other + " within " + range(section.first, section.last));
  }
}

/// False if the event that was last then has to be read again.
bool chain_merge::compare_earlier(course& run, second_pass& again) const {
  const auto known = options_.earlier.find(run.chain);
  if (known == options_.earlier.end()) return true;
  const auto& [sequence, digest_then] = known->second;
  const chain_range& last = *run.pieces.back().section;
  if (last.last < sequence) {
    run.add(finding_cause::missing, last.last + 1, files_(last.last_place.file), last.last_place.line,
            "its end: by the earlier report it went on to sequence " + std::to_string(sequence));
    return true;
  }
  const auto holder = std::find_if(run.pieces.begin(), run.pieces.end(), [&, at = sequence](const piece& each) {
    return each.section->first <= at && at <= each.section->last;
  });
  // A gap is reported as such.
  if (holder == run.pieces.end() || digest_then.empty()) return true;
  const chain_range& section = *holder->section;
  std::optional<digest> found = section.last_material;
  if (section.last != sequence) found = again.material(holder->log, run.chain, sequence);
  if (!found) return false;
  if (prevdigest_text{*found}.view() == digest_then) return true;
  run.add(finding_cause::altered, sequence, files_(section.first_place.file), section.first_place.line,
          "by the earlier report its event " + std::to_string(sequence) + " had another digest");
  return true;
}

void chain_merge::walk(course& run) const {
  chain_report& report = run.report;
  const chain_range& first = *run.pieces.front().section;
  if (first.first > 1) {
    report.gaps.emplace_back(1, first.first - 1);
    report.beginning_removed = said_.removed_until(run.chain, first.first - 1, first.first_prevdigest, first.sealed);
    if (!options_.partial && !report.beginning_removed) {
      run.add(finding_cause::missing, 1, files_(first.first_place.file), first.first_place.line,
              range(1, first.first - 1) + " before this line");
    }
  } else if (first.sealed && first.first_prevdigest != no_event_before) {
    run.add(finding_cause::altered, 1, files_(first.first_place.file), first.first_place.line,
            "a chain's first event has a prevdigest of zeros");
  }
  const chain_range* before = nullptr;
  for (const piece& each : run.pieces) {
    const chain_range& next = *each.section;
    if (before != nullptr) join(run, *before, next);
    report.events += next.last - next.first + 1;
    report.sealed |= next.sealed;
    report.facts.add(next.facts);
    run.group_signed = std::max(run.group_signed, next.last_signed);
    if (next.key_after != nullptr) run.group_key = next.key_after;
    report.signed_until = std::max(report.signed_until, run.group_signed);
    before = &next;
  }
  // Its own word on that is gone; the host's stands for it.
  if (report.beginning_removed && !report.facts.signing) report.facts.signing = said_.about(run.chain)->removed_signing;
  report.first = first.first;
  report.last = before->last;
  report.last_type = before->last_type;
  report.first_time = first.first_time.view();
  report.last_time = before->last_time.view();
  report.last_digest = prevdigest_text{before->last_material}.view();
}

/// From one piece to the next: a gap, a break, or nothing to report.
void chain_merge::join(course& run, const chain_range& before, const chain_range& next) const {
  const std::uint64_t proven = std::exchange(run.group_signed, 0);
  const std::string unproven = signatures_checked_ && before.sealed && proven < before.last
                                   ? "; no signature is over " + range(std::max(proven + 1, before.first), before.last)
                                   : "";
  if (next.first > before.last + 1) {
    run.report.gaps.emplace_back(before.last + 1, next.first - 1);
    run.broken = true;
    run.group_key = nullptr;
    run.add(finding_cause::missing, before.last + 1, files_(next.first_place.file), next.first_place.line,
            range(before.last + 1, next.first - 1) + " before this line" + unproven);
    return;
  }
  if (fits(before, next)) {
    run.group_signed = proven;
    if (run.group_key != nullptr && next.key_before != nullptr && run.group_key != next.key_before) {
      run.add(finding_cause::key_change_unproven, next.first, files_(next.first_place.file), next.first_place.line,
              "key " + run.group_key->key_id() + " signed before and " + next.key_before->key_id() +
                  " from here on, without a key_changed that both signed");
    }
    return;
  }
  run.broken = true;
  if (before.sealed != next.sealed) {
    // Reported where the bare range begins; of one at the chain's beginning, where it ends.
    if (before.sealed || &before == run.pieces.front().section) {
      const chain_range& bare = before.sealed ? next : before;
      run.add(finding_cause::not_signed, bare.first, files_(bare.first_place.file), bare.first_place.line,
              "no digests in " + range(bare.first, bare.last) + ", but in other events of the chain");
    }
    return;
  }
  // The event before is beyond doubt if a signature is over it; then it is this one's prevdigest that was changed.
  const bool second = proven == before.last;
  const line_place at = second ? next.first_place : before.last_place;
  run.add(finding_cause::altered, second ? next.first : before.last, files_(at.file), at.line,
          second ? "its prevdigest is not the digest of the event before it, " + place_of(before.last_place)
                 : "the next event, " + place_of(next.first_place) + ", has another digest of it" + unproven);
}

/// What the chain says of its own signatures, against those it has.
void chain_merge::check_signing(course& run) const {
  const auto& said = run.report.facts.signing;
  const unsigned_rows& rows = run.report.facts.unsigned_events;
  if (!said || !run.report.sealed || rows.first == 0) return;
  using kind = signing_statement::kind;
  if (said->mode == kind::event) {
    run.add(finding_cause::not_signed, rows.first, files_(rows.first_place.file), rows.first_place.line,
            "has no signature, in a chain that says each event has one");
  } else if (said->mode == kind::checkpoint && said->events > 0 && rows.longest > said->events) {
    run.add(finding_cause::not_signed, run.report.first, files_(rows.longest_place.file), rows.longest_place.line,
            count_of(rows.longest, "event") + " in a row until here have no signature, in a chain that says at most " +
                std::to_string(said->events));
  }
}

void chain_merge::verify_whole(course& run) const {
  chain_report& report = run.report;
  const bool at_end = report.last_type == event_type::run_ended || report.last_type == event_type::host_stopped;
  report.state = at_end ? chain_state::ended : chain_state::open;
  const chain_range& last = *run.pieces.back().section;
  const auto add = [&](finding_cause cause, std::uint64_t sequence, std::string words) {
    run.add(cause, sequence, files_(last.last_place.file), last.last_place.line, std::move(words));
  };
  if (signatures_checked_) {
    if (!report.sealed) {
      add(finding_cause::not_signed, report.first, "carries neither digests nor signatures: nothing of it is proven");
    } else if (report.signed_until == 0) {
      add(finding_cause::not_signed, report.first, "has no good signature in it: nothing of it is proven");
    } else if (report.facts.absent_signatures > 0) {
      add(finding_cause::altered, report.last,
          "no signature on " + count_of(report.facts.absent_signatures, "event") + " of kinds that are always signed");
    }
    check_signing(run);
  }
  const range_facts& facts = report.facts;
  if (report.last_type == event_type::run_ended && report.first == 1 && !run.broken && facts.appended_total &&
      *facts.appended_total != facts.declarations) {
    add(finding_cause::totals_unbalanced, report.last,
        std::string{name_of(event_type::run_ended)} + " counts " + count_of(*facts.appended_total, "declaration") +
            ", the log holds " + std::to_string(facts.declarations));
  }
}

}  // namespace cellos::verification
