#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/sha256.hpp"
#include "runtime/verification/finding.hpp"
#include "runtime/verification/line_result.hpp"

namespace cellos::verification {

/// Where a line stands. Files are numbered in reading order.
struct line_place {
  std::uint32_t file = 0;
  std::uint64_t line = 0;
};

/// `time` of an event, cut off where ours never is that long.
class time_text {
 public:
  time_text() = default;
  explicit time_text(std::string_view text);
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 35> text_{};
  std::uint8_t size_ = 0;
};

/// What the log says was lost for one reason.
struct drop_note {
  std::string reason;
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  /// Some of the events could not know how many.
  bool more = false;
};

/// Events in a row without a signature, put together from parts.
struct unsigned_rows {
  std::uint64_t events = 0;
  /// Before the first signature, and after the last; both are all of them where there is none.
  std::uint64_t at_begin = 0;
  std::uint64_t at_end = 0;
  std::uint64_t longest = 0;
  /// The first event without a signature; 0: none.
  std::uint64_t first = 0;
  line_place first_place{};
  /// Where the longest row that was seen to end, ended.
  line_place longest_place{};

  void take(const line_result& line, line_place at);
  void add(const unsigned_rows& next);
};

/// What a range of events says, summed up.
struct range_facts {
  std::uint64_t declarations = 0;
  std::uint64_t signed_lines = 0;
  /// Events that are signed in every mode, and were not.
  std::uint64_t absent_signatures = 0;
  std::uint64_t silences = 0;
  std::uint64_t resumptions = 0;
  std::vector<drop_note> drops;
  /// In order of appearance; few.
  std::vector<const verification_key*> keys;
  /// What the chain says of its signatures, where it does.
  std::optional<signing_statement> signing;
  unsigned_rows unsigned_events;
  /// Of `run.v1.ended`.
  std::string end_reason;
  std::optional<std::uint64_t> appended_total;

  void take(const line_result& line, line_place at);
  void add(const range_facts& other);
};

/// Events without a gap, each of which fixes the one before it.
struct chain_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  digest first_prevdigest{};
  digest last_material{};
  bool sealed = false;
  line_place first_place;
  line_place last_place;
  time_text first_time;
  time_text last_time;
  std::optional<event_type> last_type;
  /// 0: none is signed. Everything in the range up to here is proven.
  std::uint64_t last_signed = 0;
  /// The key that has to have been in use before the range's first signature, and the one in use after its last.
  const verification_key* key_before = nullptr;
  const verification_key* key_after = nullptr;
  range_facts facts;
};

/// One chain's events in one log: constant memory while they come in order, more only for each gap.
class chain_track {
 public:
  /// More gaps than any accident makes; what comes then is not followed.
  static constexpr std::size_t most_sections = 4096;

  /// What is wrong with the line's place is added to `faults`.
  void take(const line_result& line, line_place at, std::vector<line_fault>& faults);

  /// In order of sequence; neighbours that touch do not fit together.
  const std::vector<chain_range>& sections() const { return sections_; }

 private:
  bool holds(std::uint64_t sequence) const;
  void extend(std::size_t index, const line_result& line, line_place at, std::vector<line_fault>& faults);
  void insert(const line_result& line, line_place at);
  bool join_next(std::size_t index, std::vector<line_fault>& faults);

  std::vector<chain_range> sections_;
  /// The range that the line before went to.
  std::size_t current_ = 0;
  bool overflowed_ = false;
};

/// Whether `next`, which begins right after `before` ends, fits to it.
bool fits(const chain_range& before, const chain_range& next);

}  // namespace cellos::verification
