#include "tests/forge/whole_state.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "runtime/evidence/journal_record.hpp"
#include "runtime/segments/segment_name.hpp"

namespace cellos::forge {

namespace {

/// Between which two places a log may end beside a journal.
struct possible_ends {
  segment_position least;
  segment_position most;
};

/// The last whole line of a journal, without its tag.
std::optional<std::string_view> last_record(std::string_view journal, bool& is_header) {
  const std::size_t end = journal.rfind('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t before = end == 0 ? std::string_view::npos : journal.rfind('\n', end - 1);
  is_header = before == std::string_view::npos;
  const std::size_t begin = is_header ? 0 : before + 1;
  const std::string_view line = journal.substr(begin, end - begin);
  const std::size_t tag = line.find(' ');
  if (tag == std::string_view::npos) return std::nullopt;
  return line.substr(tag + 1);
}

std::optional<possible_ends> ends_beside(std::string_view journal) {
  bool is_header = false;
  const auto text = last_record(journal, is_header);
  if (!text) return std::nullopt;
  if (is_header) {
    const auto header = parse_journal_header(*text);
    if (!header) return std::nullopt;
    return possible_ends{header->begin, header->begin};
  }
  const auto record = parse_journal_record(*text);
  if (!record) return std::nullopt;
  return possible_ends{record->begin, record->end()};
}

/// How much of `name` is before `place`.
std::uint64_t bytes_before(segment_position place, const std::string& name, std::size_t size) {
  const std::uint64_t segment = segment_number(name);
  if (segment < place.segment) return size;
  return segment == place.segment ? std::min<std::uint64_t>(place.offset, size) : 0;
}

/// `place` is within `state`'s log, or at its end.
bool reaches(const evidence_image& state, segment_position place) {
  const auto found = state.files.find(segment_name(place.segment));
  return found == state.files.end() ? place.offset == 0 : place.offset <= found->second.size();
}

/// The log of `image` is that of `state` up to some place between the two, to the byte. Of an append that is not whole
/// nothing is kept, so whatever stands in its place is.
bool is_exactly(const evidence_image& image, const evidence_image& state, const possible_ends& ends) {
  for (const std::string& name : image.segments()) {
    if (!state.files.contains(name)) return false;
  }
  bool has_ended = false;
  for (const std::string& name : state.segments()) {
    const std::string& whole = state.files.at(name);
    const auto there = image.files.find(name);
    const std::string_view part = there == image.files.end() ? std::string_view{} : std::string_view{there->second};
    const std::uint64_t least = bytes_before(ends.least, name, whole.size());
    const std::uint64_t most = bytes_before(ends.most, name, whole.size());
    if (part.size() < least || part.size() > most) return false;
    const bool is_torn = part.size() > least && part.size() < most;
    if (!whole.starts_with(is_torn ? part.substr(0, least) : part)) return false;
    if (has_ended && !part.empty()) return false;
    has_ended = part.size() < whole.size();
    // A segment with nothing in it is there or not; one that has lines is not left out.
    if (there == image.files.end() && least > 0) return false;
  }
  return true;
}

std::size_t lines_before(const evidence_image& state, segment_position place) {
  std::size_t lines = 0;
  for (const std::string& name : state.segments()) {
    const std::string& whole = state.files.at(name);
    const std::string_view part = std::string_view{whole}.substr(0, bytes_before(place, name, whole.size()));
    lines += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
  }
  return lines;
}

/// The same by what the lines say: whatever their spelling, and wherever they stand.
bool is_respelled(const line_texts& lines, const evidence_image& state, const possible_ends& ends) {
  const std::size_t least = lines_before(state, ends.least);
  const std::size_t most = lines_before(state, ends.most);
  const line_texts all = canonical_lines(state);
  if (lines.size() < least || lines.size() > most + 1 || lines.size() > all.size()) return false;
  const auto differs = std::mismatch(lines.begin(), lines.end(), all.begin()).first;
  if (differs == lines.end()) return lines.size() <= most;
  // The last line may be torn.
  return differs + 1 == lines.end() && lines.size() > least;
}

std::map<std::string, line_texts> lines_by_chain(const evidence_image& image) {
  std::map<std::string, line_texts> chains;
  for (const log_line& line : image.lines()) chains[line.chain].push_back(canonical(line.text));
  return chains;
}

}  // namespace

line_texts canonical_lines(const evidence_image& image) {
  line_texts all;
  for (const log_line& line : image.lines()) all.push_back(canonical(line.text));
  return all;
}

std::string whole_lines(std::string text) {
  text.resize(text.rfind('\n') + 1);
  return text;
}

rollback rollback_of(const evidence_image& image, const std::vector<evidence_image>& states) {
  const std::string journal = whole_lines(image.journal_or_nothing());
  const line_texts lines = canonical_lines(image);
  if (!image.has_journal()) return lines.empty() ? rollback::exact : rollback::none;
  const auto ends = ends_beside(journal);
  if (!ends) return rollback::none;
  rollback best = rollback::none;
  for (const evidence_image& state : states) {
    if (!state.journal_or_nothing().starts_with(journal) || !reaches(state, ends->most)) continue;
    if (is_exactly(image, state, *ends)) return rollback::exact;
    const bool is_sorted_otherwise =
        state.journal_or_nothing() == journal && lines_by_chain(image) == lines_by_chain(state);
    if (is_sorted_otherwise || is_respelled(lines, state, *ends)) best = rollback::respelled;
  }
  return best;
}

}  // namespace cellos::forge
