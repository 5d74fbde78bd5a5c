#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cellos::verification {

/// What can be wrong with a log; see docs/evidence.md for what each proves.
enum class finding_cause : std::uint8_t {
  /// Not what the host wrote: a digest or a signature's payload says otherwise.
  altered,
  /// Events, or whole runs, that must have been there.
  missing,
  /// Later in its log than its sequence.
  reordered,
  /// The same event twice in one log.
  duplicated,
  /// What the line says of its origin does not agree with itself, or with who signed it.
  foreign,
  /// The end of a finished chain, with no signature over it.
  unsigned_tail,
  unknown_key,
  bad_signature,
  /// No event of a chain at all.
  malformed,
  /// A file that ends within a line.
  unterminated,
  /// No digests or no signature, where there should be one.
  not_signed,
  /// Another key without a line that both keys signed.
  key_change_unproven,
  /// The totals of `run.v1.ended` are not what the log holds.
  totals_unbalanced,
  /// Events that the host found at a start, could not vouch for, and went on from.
  adopted,
  /// What the host found at a start, or says of a chain, does not agree with what it had written.
  contradicted,
  /// The log of a collector that is to bear witness, and cannot.
  no_witness,
};

inline constexpr std::array<std::string_view, 16> finding_words{
    "altered",           "missing",       "reordered",    "duplicated",   "foreign",  "unsigned_tail",
    "unknown_key",       "bad_signature", "malformed",    "unterminated", "unsigned", "key_change_unproven",
    "totals_unbalanced", "adopted",       "contradicted", "no_witness"};

constexpr std::string_view to_string(finding_cause cause) { return finding_words[static_cast<std::size_t>(cause)]; }

struct finding {
  finding_cause cause{};
  /// Empty where no chain can be named.
  std::string chain{};
  /// 0 where none can be named.
  std::uint64_t sequence = 0;
  /// Empty, with line 0, where nothing is there to point at.
  std::string file{};
  std::uint64_t line = 0;
  /// A sentence for a person, without the above.
  std::string words{};
};

}  // namespace cellos::verification
