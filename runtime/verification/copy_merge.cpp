#include "runtime/verification/copy_merge.hpp"

#include <algorithm>
#include <tuple>

#include "messages/escaped_text.hpp"
#include "runtime/verification/file_text.hpp"

namespace cellos::verification {

namespace {

constexpr std::uint64_t compared_at_once = std::uint64_t{1} << 20;

bool comes_first(const piece_file& one, const piece_file& other) {
  return std::tie(one.begin, other.bytes, one.path) < std::tie(other.begin, one.bytes, other.path);
}

std::string quoted(const std::filesystem::path& path) { return "\"" + escaped(path.string(), 512) + "\""; }

}  // namespace

std::string copy_merge::merge(std::vector<piece_file> pieces) {
  std::ranges::sort(pieces, comes_first);
  segment_position end;
  for (const piece_file& each : pieces) {
    if (each.begin.segment != end.segment) chosen_.clear();
    if (each.begin > end) note_gap(each, end);
    const auto already = each.begin.segment == end.segment ? end.offset : 0;
    if (std::string failure = choose(each, already); !failure.empty()) return failure;
    end = std::max(end, each.end());
  }
  return {};
}

/// What no collector has between `end` and this piece. Of a segment before this one nobody knows how long it was.
void copy_merge::note_gap(const piece_file& next, segment_position end) {
  std::string words;
  if (end.segment != 0 && next.begin.segment > end.segment + 1) {
    words = "segments " + std::to_string(end.segment + 1) + " to " + std::to_string(next.begin.segment - 1);
  }
  const auto from = next.begin.segment == end.segment ? end.offset : 0;
  if (next.begin.offset > from) {
    words += (words.empty() ? "" : ", and ") + std::string{"bytes "} + std::to_string(from) + " to " +
             std::to_string(next.begin.offset) + " of segment " + std::to_string(next.begin.segment);
  }
  if (words.empty()) return;
  into_.gaps.push_back({finding_cause::missing, "", 0, next.path.string(), 1,
                        words + " of the log: no copy that was named has what comes before this line"});
}

/// `already`: where what was chosen of this segment ends.
std::string copy_merge::choose(const piece_file& piece, std::uint64_t already) {
  const auto end = piece.end().offset;
  if (piece.begin.offset >= already) {
    add(piece, 0, 0);
    return {};
  }
  for (const chosen_piece& each : chosen_) {
    const auto until = std::min(end, each.piece.end().offset);
    if (std::max(each.from, piece.begin.offset) >= until) continue;
    if (std::string failure = compare(each, piece, until); !failure.empty()) return failure;
  }
  if (end <= already) return {};
  const file_text text{piece.path};
  const auto skipped = already - piece.begin.offset;
  const auto lines = text.lines_before(skipped);
  if (!lines) return text.failure();
  add(piece, skipped, *lines);
  return {};
}

/// From where both count to `until`.
std::string copy_merge::compare(const chosen_piece& one, const piece_file& other, std::uint64_t until) {
  const file_text first{one.piece.path};
  const file_text second{other.path};
  for (std::uint64_t at = std::max(one.from, other.begin.offset); at < until; at += compared_at_once) {
    const auto bytes = std::min(compared_at_once, until - at);
    const auto a = first.read(at - one.piece.begin.offset, bytes);
    const auto b = second.read(at - other.begin.offset, bytes);
    if (!a) return first.failure();
    if (!b) return second.failure();
    if (*a == *b) continue;
    const auto same = static_cast<std::uint64_t>(std::ranges::mismatch(*a, *b).in1 - a->begin());
    const auto line_of_first = first.lines_before(at + same - one.piece.begin.offset);
    const auto line_of_second = second.lines_before(at + same - other.begin.offset);
    into_.findings.push_back({finding_cause::altered, "", 0, other.path.string(), line_of_second.value_or(0) + 1,
                              "is not what line " + std::to_string(line_of_first.value_or(0) + 1) + " of " +
                                  quoted(one.piece.path) + " says: copies of one log must be equal"});
    return {};
  }
  return {};
}

void copy_merge::add(const piece_file& piece, std::uint64_t skipped_bytes, std::uint64_t skipped_lines) {
  chosen_.push_back({piece, piece.begin.offset + skipped_bytes});
  into_.files.push_back({piece.path, log_, skipped_bytes, skipped_lines});
  into_.logs.back().ranges.push_back({piece.path, piece.begin, piece.begin.offset + skipped_bytes});
}

}  // namespace cellos::verification
