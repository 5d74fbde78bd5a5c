#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"

namespace cellos {

/// Consecutive whole lines of one segment; borrowed until the next read.
struct line_batch {
  segment_position after;
  segment_position from;
  std::string_view text;
  std::uint32_t line_count = 0;

  segment_position end() const { return {from.segment, from.offset + text.size()}; }
};

/// What a forwarder may see of its host's log: committed lines alone, so that no loss of power takes back what another
/// host already has.
///
/// A seam: the evidence directory in production, a text in tests and simulation.
class committed_log {
 public:
  committed_log() = default;
  committed_log(const committed_log&) = delete;
  committed_log& operator=(const committed_log&) = delete;
  virtual ~committed_log() = default;

  /// Where the oldest line that is still there begins.
  virtual segment_position first_kept() = 0;
  /// Nothing behind it is ever answered with. Before every line while the log is not open yet.
  virtual segment_position committed() = 0;
  /// Of the line that ends at `place`. Nothing if no line ends there, or it is there no more, or is not committed.
  virtual std::optional<line_hash> hash_before(segment_position place) = 0;

  enum class outcome : std::uint8_t {
    lines,
    /// Nothing behind `after` is committed.
    at_end,
    /// The lines behind `after` were removed.
    gone,
    failed,
  };
  struct reading {
    outcome result = outcome::at_end;
    line_batch batch;
  };
  /// Of the lines between two places that are still there.
  virtual std::uint64_t bytes_between(segment_position from, segment_position to) {
    if (to <= from) return 0;
    return from.segment == to.segment ? to.offset - from.offset : to.offset;
  }
  /// At most `most` bytes, but for a single line that is longer; never beyond a segment's end.
  virtual reading read(segment_position after, std::size_t most) = 0;
};

}  // namespace cellos
