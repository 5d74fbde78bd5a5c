// What takes lines away, moves them or writes them twice. No line's own bytes are changed.

#include <algorithm>
#include <utility>

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

std::string number(std::uint64_t n) { return std::to_string(n); }

outcome cut_log_end(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::size_t count =
      between(random, 1, one_in(random, 2) ? std::min<std::size_t>(lines.size(), 6) : lines.size());
  lines.resize(lines.size() - count);
  image.set_lines(lines);
  return "the last " + number(count) + " lines of the log are gone";
}

outcome cut_log_begin(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.size() < 2) return std::nullopt;
  const std::size_t count = between(random, 1, lines.size() - 1);
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count));
  image.set_lines(lines);
  return "the first " + number(count) + " lines of the log are gone";
}

outcome tear_last_line(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty() || image.files[segments.back()].size() < 2) return std::nullopt;
  std::string& content = image.files[segments.back()];
  const std::size_t begin = content.rfind('\n', content.size() - 2);
  const std::size_t line = begin == std::string::npos ? 0 : begin + 1;
  content.resize(between(random, line + 1, content.size() - 1));
  return "the last line is torn";
}

outcome tear_any_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  std::string& content = image.files[any_of(random, segments)];
  if (content.size() < 2) return std::nullopt;
  content.resize(between(random, 1, content.size() - 1));
  return "a segment is cut within";
}

outcome cut_chain(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto chains = chains_of(lines);
  if (chains.empty()) return std::nullopt;
  const std::string& chain = any_of(random, chains);
  auto places = lines_of_chain(lines, chain);
  const std::size_t kept = below(random, places.size());
  places.erase(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept));
  erase_indices(lines, places);
  image.set_lines(lines);
  return chain + " ends after " + number(kept);
}

outcome cut_chain_begin(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto chains = chains_of(lines);
  if (chains.empty()) return std::nullopt;
  const std::string& chain = any_of(random, chains);
  auto places = lines_of_chain(lines, chain);
  places.resize(between(random, 1, places.size()));
  erase_indices(lines, places);
  image.set_lines(lines);
  return "the first " + number(places.size()) + " of " + chain + " are gone";
}

outcome drop_run(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto runs = runs_of(lines);
  if (runs.empty()) return std::nullopt;
  const std::string& run = any_of(random, runs);
  erase_indices(lines, lines_of_chain(lines, run));
  image.set_lines(lines);
  return run + " is gone";
}

outcome drop_line(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::size_t at = below(random, lines.size());
  const std::string what = lines[at].type + " of " + lines[at].chain;
  erase_indices(lines, {at});
  image.set_lines(lines);
  return "line " + number(at + 1) + " is gone, " + what;
}

outcome drop_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::string& name = any_of(random, segments);
  image.files.erase(name);
  return name + " is gone";
}

outcome empty_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::string& name = any_of(random, segments);
  if (image.files[name].empty()) return std::nullopt;
  image.files[name].clear();
  return name + " is empty";
}

outcome reorder(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto chains = chains_of(lines);
  if (chains.empty()) return std::nullopt;
  const auto places = lines_of_chain(lines, any_of(random, chains));
  if (places.size() < 2) return std::nullopt;
  const std::size_t a = below(random, places.size() - 1);
  const std::size_t b = between(random, a + 1, places.size() - 1);
  std::swap(lines[places[a]], lines[places[b]]);
  std::swap(lines[places[a]].segment, lines[places[b]].segment);
  image.set_lines(lines);
  return "lines " + number(places[a] + 1) + " and " + number(places[b] + 1) + " of one chain change places";
}

outcome duplicate(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  const std::size_t from = below(random, lines.size());
  const std::size_t to = between(random, from + 1, lines.size());
  log_line copy = lines[from];
  copy.segment = lines[to - 1].segment;
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(to), copy);
  image.set_lines(lines);
  return "line " + number(from + 1) + " stands again as line " + number(to + 1);
}

/// Each chain's lines stay in their order.
outcome spread_over_segments(evidence_image& image, const loot&, randomness& random) {
  line_list lines = image.lines();
  const auto segments = image.segments();
  if (lines.size() < 2 || segments.empty()) return std::nullopt;
  const std::size_t from = below(random, lines.size());
  const std::string next = segment_name(segment_number(segments.back()) + 1);
  for (std::size_t i = from; i < lines.size(); ++i) lines[i].segment = next;
  image.files[next];
  image.set_lines(lines);
  return "from line " + number(from + 1) + " on everything stands in a new segment";
}

outcome gather_in_first_segment(evidence_image& image, const loot&, randomness&) {
  line_list lines = image.lines();
  const auto segments = image.segments();
  if (segments.size() < 2) return std::nullopt;
  for (log_line& line : lines) line.segment = segments.front();
  image.set_lines(lines);
  return "everything stands in the first segment";
}

outcome group_by_chain(evidence_image& image, const loot&, randomness&) {
  line_list lines = image.lines();
  if (lines.empty()) return std::nullopt;
  std::vector<std::string> places;
  for (const log_line& line : lines) places.push_back(line.segment);
  std::stable_sort(lines.begin(), lines.end(), [](const log_line& a, const log_line& b) { return a.chain < b.chain; });
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].segment = places[i];
  image.set_lines(lines);
  return "lines are sorted by chain";
}

outcome swap_segments(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.size() < 2) return std::nullopt;
  const std::size_t a = below(random, segments.size() - 1);
  const std::size_t b = between(random, a + 1, segments.size() - 1);
  std::swap(image.files[segments[a]], image.files[segments[b]]);
  return segments[a] + " and " + segments[b] + " change names";
}

outcome renumber_segments(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::uint64_t by = between(random, 1, 3);
  for (auto name = segments.rbegin(); name != segments.rend(); ++name) {
    auto file = image.files.extract(*name);
    file.key() = segment_name(segment_number(*name) + by);
    image.files.insert(std::move(file));
  }
  return "every segment's number is greater by " + number(by);
}

outcome repeat_segment(evidence_image& image, const loot&, randomness& random) {
  const auto segments = image.segments();
  if (segments.empty()) return std::nullopt;
  const std::string& from = any_of(random, segments);
  const std::string to = segment_name(segment_number(segments.back()) + between(random, 1, 3));
  if (image.files[from].empty()) return std::nullopt;
  image.files[to] = image.files[from];
  return to + " is a copy of " + from;
}

}  // namespace

const std::vector<rewrite>& cutting_rewrites() {
  static const std::vector<rewrite> all{
      {"cut_log_end", expectation::tampering, cut_log_end},
      {"cut_log_begin", expectation::tampering, cut_log_begin},
      {"tear_last_line", expectation::tampering, tear_last_line},
      {"tear_any_segment", expectation::tampering, tear_any_segment},
      {"cut_chain", expectation::tampering, cut_chain},
      {"cut_chain_begin", expectation::tampering, cut_chain_begin},
      {"drop_run", expectation::tampering, drop_run},
      {"drop_line", expectation::tampering, drop_line},
      {"drop_segment", expectation::tampering, drop_segment},
      {"empty_segment", expectation::tampering, empty_segment},
      {"reorder", expectation::tampering, reorder},
      {"duplicate", expectation::tampering, duplicate},
      {"spread_over_segments", expectation::open, spread_over_segments},
      {"gather_in_first_segment", expectation::open, gather_in_first_segment},
      {"group_by_chain", expectation::open, group_by_chain},
      {"swap_segments", expectation::tampering, swap_segments},
      {"renumber_segments", expectation::open, renumber_segments},
      {"repeat_segment", expectation::tampering, repeat_segment},
  };
  return all;
}

}  // namespace cellos::forge
