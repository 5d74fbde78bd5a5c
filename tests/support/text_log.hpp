#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/forwarding/committed_log.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos::test {

/// A log in memory, of which a test says how much is committed.
class text_log : public committed_log {
 public:
  void append(std::string_view lines) { segments.rbegin()->second += lines; }
  void rotate() { segments.emplace(segments.rbegin()->first + 1, ""); }
  void remove_oldest() { segments.erase(segments.begin()); }
  segment_position end() const { return {segments.rbegin()->first, segments.rbegin()->second.size()}; }
  void commit() { committed_end = end(); }
  /// What a loss of power takes.
  void lose_uncommitted() {
    while (segments.rbegin()->first > committed_end.segment) segments.erase(std::prev(segments.end()));
    segments.rbegin()->second.resize(committed_end.offset);
  }

  segment_position first_kept() override { return {segments.begin()->first, 0}; }
  segment_position committed() override { return committed_end; }

  std::optional<line_hash> hash_before(segment_position place) override {
    const auto found = segments.find(place.segment);
    if (place > committed_end || place.offset == 0 || found == segments.end()) return std::nullopt;
    const std::string& text = found->second;
    if (place.offset > text.size() || text[place.offset - 1] != '\n') return std::nullopt;
    const auto before = place.offset < 2 ? std::string::npos : text.rfind('\n', place.offset - 2);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    return sha256::of(std::string_view{text}.substr(begin, place.offset - begin));
  }

  reading read(segment_position after, std::size_t most) override {
    if (after >= committed_end) return {outcome::at_end, {}};
    segment_position from = after.segment == 0 ? first_kept() : after;
    if (!segments.contains(from.segment)) return {outcome::gone, {}};
    while (from.offset >= readable(from.segment)) {
      if (from.segment == committed_end.segment) return {outcome::at_end, {}};
      from = {from.segment + 1, 0};
    }
    const std::string_view text = std::string_view{segments[from.segment]}.substr(0, readable(from.segment));
    auto end = text.rfind('\n', from.offset + most - 1);
    if (end == std::string_view::npos || end < from.offset) end = text.find('\n', from.offset);
    const auto lines = text.substr(from.offset, end + 1 - from.offset);
    return {outcome::lines, {after, from, lines, static_cast<std::uint32_t>(std::ranges::count(lines, '\n'))}};
  }

  std::map<std::uint64_t, std::string> segments{{1, ""}};
  segment_position committed_end{1, 0};

 private:
  std::uint64_t readable(std::uint64_t segment) const {
    return segment == committed_end.segment ? committed_end.offset : segments.at(segment).size();
  }
};

}  // namespace cellos::test
