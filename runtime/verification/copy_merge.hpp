#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "messages/segment_position.hpp"
#include "runtime/verification/log_files.hpp"

namespace cellos::verification {

/// One piece of a collector's copy.
struct piece_file {
  std::filesystem::path path;
  segment_position begin;
  std::uint64_t bytes = 0;

  segment_position end() const { return {begin.segment, begin.offset + bytes}; }
};

/// Puts the pieces that one or several collectors have of one log together by position, each place once: what they have
/// in common must be equal, and what none of them has is missing.
class copy_merge {
 public:
  /// `log`: its number.
  copy_merge(std::uint32_t log, verified_logs& into) : log_(log), into_(into) {}

  /// Empty, or what could not be read.
  std::string merge(std::vector<piece_file> pieces);

 private:
  struct chosen_piece {
    piece_file piece;
    /// From here on it counts.
    std::uint64_t from = 0;
  };

  void note_gap(const piece_file& next, segment_position end);
  std::string choose(const piece_file& piece, std::uint64_t already);
  std::string compare(const chosen_piece& one, const piece_file& other, std::uint64_t until);
  void add(const piece_file& piece, std::uint64_t skipped_bytes, std::uint64_t skipped_lines);

  const std::uint32_t log_;
  verified_logs& into_;
  /// Of the segment that is being put together.
  std::vector<chosen_piece> chosen_;
};

}  // namespace cellos::verification
