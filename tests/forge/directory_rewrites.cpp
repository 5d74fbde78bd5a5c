// What comes from another host, and what stands in a segment's place.

#include <algorithm>
#include <utility>

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

outcome swap_hosts(evidence_image& image, const loot& from, randomness& random) {
  const bool with_journal = one_in(random, 2) || !image.has_journal();
  const std::string own_journal = image.journal_or_nothing();
  image = from.other_host;
  if (!with_journal) image.journal() = own_journal;
  return std::string{"the directory is another host's"} + (with_journal ? "" : ", but for the journal");
}

outcome foreign_segment(evidence_image& image, const loot& from, randomness& random) {
  const auto segments = image.segments();
  const auto theirs = from.other_host.segments();
  if (segments.empty() || theirs.empty()) return std::nullopt;
  const bool in_place = one_in(random, 3);
  const std::string name = in_place ? any_of(random, segments) : segment_name(segment_number(segments.back()) + 1);
  image.files[name] = from.other_host.files.at(theirs.front());
  return name + " is another host's" + (in_place ? ", in place of our own" : "");
}

outcome foreign_lines(evidence_image& image, const loot& from, randomness& random) {
  line_list lines = image.lines();
  const line_list theirs = from.other_host.lines();
  if (lines.empty() || theirs.empty()) return std::nullopt;
  const std::string chain = any_of(random, chains_of(theirs));
  const auto places = lines_of_chain(theirs, chain);
  for (const std::size_t each : places) {
    lines.push_back(theirs[each]);
    lines.back().segment = lines.front().segment;
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const log_line& a, const log_line& b) { return a.segment < b.segment; });
  image.set_lines(lines);
  return std::to_string(places.size()) + " lines of " + chain + " are there, too";
}

/// Another host's run, said to be ours.
outcome claimed_run(evidence_image& image, const loot& from, randomness& random) {
  line_list lines = image.lines();
  const line_list theirs = from.other_host.lines();
  const auto runs = runs_of(theirs);
  const auto own = runs_of(lines);
  if (own.empty() || runs.empty()) return std::nullopt;
  const std::string& chain = any_of(random, runs);
  log_line place = lines[lines_of_chain(lines, any_of(random, own)).front()];
  place.chain = std::string{attacked_host} + chain.substr(chain.find('/'));
  const std::string last = lines.back().segment;
  for (const std::size_t each : lines_of_chain(theirs, chain)) {
    log_line made = theirs[each];
    move_to(made, place, made.sequence);
    made.segment = last;
    lines.push_back(std::move(made));
  }
  relink(lines, place.chain, 1);
  image.set_lines(lines);
  return chain + " is said to be this host's";
}

/// The end of a chain, taken from another host's chain.
outcome foreign_tail(evidence_image& image, const loot& from, randomness& random) {
  line_list lines = image.lines();
  const line_list theirs = from.other_host.lines();
  const auto chains = chains_of(lines);
  const auto foreign = chains_of(theirs);
  if (chains.empty() || foreign.empty()) return std::nullopt;
  const std::string& chain = any_of(random, chains);
  const std::string& other = any_of(random, foreign);
  std::size_t at = lines_of_chain(lines, chain).back();
  for (const std::size_t each : lines_of_chain(theirs, other)) {
    log_line made = linked_behind(lines[at], theirs[each]);
    ++at;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::move(made));
  }
  image.set_lines(lines);
  return "behind " + chain + " stands what " + other + " says";
}

outcome lose_log(evidence_image& image, const loot&, randomness&) {
  const auto segments = image.segments();
  if (segments.empty() || !image.has_journal()) return std::nullopt;
  for (const std::string& name : segments) image.files.erase(name);
  return "the log is gone, the journal is not";
}

outcome odd_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::string& name = any_of(random, segments);
  if (image.files[name].empty()) return std::nullopt;
  const bool fifo = one_in(random, 2);
  image.files.erase(name);
  image.odd_entries[name] = fifo ? odd_entry::fifo : odd_entry::directory;
  return name + " is a " + (fifo ? "FIFO" : "directory");
}

outcome linked_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::string& name = any_of(random, segments);
  image.odd_entries[name] = odd_entry::link_to_copy;
  return name + " is a link to its copy";
}

outcome garbage_line(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::vector<std::string> texts{"{}", "null", "no event", R"({"specversion":"1.0"})", R"({"chain":"host-a/1"})"};
  const std::size_t at = below(random, lines.size());
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), log_line{any_of(random, texts), lines[at].segment});
  image.set_lines(lines);
  return "line " + std::to_string(at + 1) + " is no event";
}

}  // namespace

const std::vector<rewrite>& directory_rewrites() {
  static const std::vector<rewrite> all{
      {"swap_hosts", expectation::tampering, swap_hosts},
      {"foreign_segment", expectation::tampering, foreign_segment},
      {"foreign_lines", expectation::tampering, foreign_lines},
      {"claimed_run", expectation::tampering, claimed_run},
      {"foreign_tail", expectation::tampering, foreign_tail},
      {"lose_log", expectation::tampering, lose_log},
      {"odd_segment", expectation::tampering, odd_segment},
      {"linked_segment", expectation::open, linked_segment},
      {"garbage_line", expectation::tampering, garbage_line},
  };
  return all;
}

}  // namespace cellos::forge
