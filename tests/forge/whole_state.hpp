#pragma once

#include <cstdint>
#include <vector>

#include "tests/forge/evidence_image.hpp"

namespace cellos::forge {

/// How a directory compares with what it was as a whole at some moment: journal and log, also within an append.
enum class rollback : std::uint8_t {
  /// It never was like this.
  none,
  /// The same events, in another spelling or other segments.
  respelled,
  /// To the byte.
  exact,
};

/// `states`: of one directory, in order. The journal is written before the log, so whoever kills the daemon leaves the
/// last append that the journal notes whole, torn, or not there at all.
rollback rollback_of(const evidence_image& image, const std::vector<evidence_image>& states);

/// Without what follows the last newline.
std::string whole_lines(std::string text);

using line_texts = std::vector<std::string>;
line_texts canonical_lines(const evidence_image& image);

}  // namespace cellos::forge
