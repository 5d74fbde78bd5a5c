#pragma once

#include <compare>
#include <cstdint>

namespace cellos {

/// A place between two lines of the log. Segments count from 1, so that the default comes before every line.
struct segment_position {
  std::uint64_t segment = 0;
  /// Bytes from the start of the segment.
  std::uint64_t offset = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy takes the comparison with 0 for a pointer.
  auto operator<=>(const segment_position&) const = default;
};

}  // namespace cellos
