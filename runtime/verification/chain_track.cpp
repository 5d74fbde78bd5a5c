#include "runtime/verification/chain_track.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "messages/cloud_event.hpp"
#include "messages/escaped_text.hpp"

namespace cellos::verification {

namespace {

void saturating_add(std::uint64_t& sum, std::uint64_t more) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  sum = sum > max - more ? max : sum + more;
}

/// Reasons of ours are few; a log may say anything.
constexpr std::size_t most_reasons = 16;
constexpr std::size_t most_keys = 16;

void add_drop(std::vector<drop_note>& drops, const drop_note& more) {
  auto known = std::find_if(drops.begin(), drops.end(), [&](const auto& each) { return each.reason == more.reason; });
  if (known == drops.end()) {
    if (drops.size() == most_reasons) return;
    drops.push_back(more);
    return;
  }
  known->events += more.events;
  saturating_add(known->frames, more.frames);
  known->more |= more.more;
}

void add_key(std::vector<const verification_key*>& keys, const verification_key* key) {
  if (key == nullptr || keys.size() == most_keys) return;
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
}

chain_range section_of(const line_result& line, line_place at) {
  chain_range section;
  section.first = section.last = line.sequence;
  section.first_prevdigest = line.prevdigest;
  section.last_material = line.material;
  section.sealed = line.sealed;
  section.first_place = section.last_place = at;
  section.first_time = section.last_time = time_text{line.time};
  section.last_type = line.type;
  if (line.is_signed()) {
    section.last_signed = line.sequence;
    section.key_before = line.from_key;
    section.key_after = line.to_key;
  }
  section.facts.take(line, at);
  return section;
}

std::string unproven_change(const verification_key* before, const verification_key* after) {
  return "key " + before->key_id() + " signed until here and " + after->key_id() +
         " from here on, without a key_changed that both signed";
}

/// The range goes on with what was signed from `from` to `to`, last at `last_signed`; null: with nothing signed.
void add_signatures(chain_range& range, const verification_key* from, const verification_key* to,
                    std::uint64_t last_signed, std::vector<line_fault>& faults) {
  if (to == nullptr) return;
  if (range.key_after == nullptr) {
    range.key_before = from;
  } else if (range.key_after != from) {
    faults.push_back({finding_cause::key_change_unproven, unproven_change(range.key_after, from)});
  }
  range.key_after = to;
  range.last_signed = last_signed;
}

}  // namespace

time_text::time_text(std::string_view text) : size_(static_cast<std::uint8_t>(std::min(text.size(), text_.size()))) {
  std::copy_n(text.begin(), size_, text_.begin());
}

void unsigned_rows::take(const line_result& line, line_place at) {
  unsigned_rows next;
  // Of crashes that follow each other closely each leaves one where the next start finds it.
  const bool of_a_restart = line.type == event_type::telemetry_dropped && !line.is_declaration &&
                            line.facts != nullptr && line.facts->reason == to_string(loss_reason::daemon_restart);
  next.events = of_a_restart ? 0 : 1;
  if (of_a_restart && !line.has_signature) {
    next.first = line.sequence;
    next.first_place = next.longest_place = at;
  } else if (!line.has_signature) {
    next.at_begin = next.at_end = next.longest = 1;
    next.first = line.sequence;
    next.first_place = next.longest_place = at;
  }
  add(next);
}

void unsigned_rows::add(const unsigned_rows& next) {
  const std::uint64_t joined = at_end + next.at_begin;
  if (joined > longest) {
    longest = joined;
    longest_place = next.longest_place;
  }
  if (next.longest > longest) {
    longest = next.longest;
    longest_place = next.longest_place;
  }
  if (at_begin == events) at_begin += next.at_begin;
  at_end = next.at_end == next.events ? at_end + next.at_end : next.at_end;
  if (first == 0) {
    first = next.first;
    first_place = next.first_place;
  }
  events += next.events;
}

void range_facts::take(const line_result& line, line_place at) {
  if (line.facts != nullptr && line.facts->signing) {
    // What came before such a statement is not held to it.
    if (!signing) unsigned_events = {};
    signing = line.facts->signing;
  }
  unsigned_events.take(line, at);
  signed_lines += line.is_signed() ? 1 : 0;
  absent_signatures += line.signature_absent ? 1 : 0;
  if (line.is_signed() && (keys.empty() || keys.back() != line.to_key || line.from_key != line.to_key)) {
    add_key(keys, line.from_key);
    add_key(keys, line.to_key);
  }
  if (line.is_declaration) {
    ++declarations;
    return;
  }
  if (!line.type) return;
  switch (*line.type) {
    case event_type::agent_silenced: ++silences; return;
    case event_type::agent_resumed: ++resumptions; return;
    case event_type::telemetry_dropped:
      if (line.facts == nullptr) return;
      add_drop(drops, {escaped(line.facts->reason), 1, line.facts->frames.value_or(0), !line.facts->frames});
      return;
    case event_type::run_ended:
      if (line.facts == nullptr) return;
      end_reason = escaped(line.facts->reason);
      appended_total = line.facts->appended;
      return;
    default: return;
  }
}

void range_facts::add(const range_facts& other) {
  declarations += other.declarations;
  signed_lines += other.signed_lines;
  unsigned_events.add(other.unsigned_events);
  if (other.signing) signing = other.signing;
  absent_signatures += other.absent_signatures;
  silences += other.silences;
  resumptions += other.resumptions;
  for (const drop_note& each : other.drops) add_drop(drops, each);
  for (const verification_key* each : other.keys) add_key(keys, each);
  if (!other.end_reason.empty()) end_reason = other.end_reason;
  if (other.appended_total) appended_total = other.appended_total;
}

bool fits(const chain_range& before, const chain_range& next) {
  return before.sealed == next.sealed && (!next.sealed || next.first_prevdigest == before.last_material);
}

void chain_track::take(const line_result& line, line_place at, std::vector<line_fault>& faults) {
  if (sections_.empty()) {
    sections_.push_back(section_of(line, at));
    return;
  }
  if (overflowed_) return;
  if (line.sequence > sections_.back().last) {
    const std::size_t last = sections_.size() - 1;
    // Goes on from the highest, even where the line before stood elsewhere: that one was reported.
    if (line.sequence == sections_[last].last + 1) return extend(last, line, at, faults);
  } else if (holds(line.sequence)) {
    faults.push_back({finding_cause::duplicated, "is in this log already"});
    return;
  } else if (line.sequence == sections_[current_].last + 1) {
    return extend(current_, line, at, faults);
  } else {
    faults.push_back({finding_cause::reordered, "comes after sequence " + std::to_string(sections_[current_].last)});
  }
  if (sections_.size() == most_sections) {
    overflowed_ = true;
    faults.push_back({finding_cause::missing, "too many gaps in this chain; its further lines were not looked at"});
    return;
  }
  insert(line, at);
  join_next(current_, faults);
  if (current_ > 0 && join_next(current_ - 1, faults)) --current_;
}

bool chain_track::holds(std::uint64_t sequence) const {
  const auto after = std::partition_point(sections_.begin(), sections_.end(),
                                          [sequence](const chain_range& each) { return each.last < sequence; });
  return after != sections_.end() && after->first <= sequence;
}

/// `line` is the next after the range.
void chain_track::extend(std::size_t index, const line_result& line, line_place at, std::vector<line_fault>& faults) {
  chain_range& section = sections_[index];
  if (line.sealed != section.sealed || (line.sealed && line.prevdigest != section.last_material)) {
    if (sections_.size() == most_sections) {
      overflowed_ = true;
      faults.push_back({finding_cause::altered, "too many breaks in this chain; its further lines were not looked at"});
      return;
    }
    insert(line, at);
  } else {
    add_signatures(section, line.from_key, line.to_key, line.sequence, faults);
    section.last = line.sequence;
    section.last_material = line.material;
    section.last_place = at;
    section.last_time = time_text{line.time};
    section.last_type = line.type;
    section.facts.take(line, at);
    current_ = index;
  }
  join_next(current_, faults);
}

/// A range of its own, which becomes the current one.
void chain_track::insert(const line_result& line, line_place at) {
  const auto after = std::partition_point(sections_.begin(), sections_.end(),
                                          [&](const chain_range& each) { return each.last < line.sequence; });
  current_ = static_cast<std::size_t>(after - sections_.begin());
  sections_.insert(after, section_of(line, at));
}

/// Makes one of a range and the next, if they touch and fit.
bool chain_track::join_next(std::size_t index, std::vector<line_fault>& faults) {
  if (index + 1 >= sections_.size()) return false;
  chain_range& before = sections_[index];
  const chain_range& next = sections_[index + 1];
  if (before.last + 1 != next.first || !fits(before, next)) return false;
  add_signatures(before, next.key_before, next.key_after, next.last_signed, faults);
  before.last = next.last;
  before.last_material = next.last_material;
  before.last_place = next.last_place;
  before.last_time = next.last_time;
  before.last_type = next.last_type;
  before.facts.add(next.facts);
  sections_.erase(sections_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
  return true;
}

}  // namespace cellos::verification
