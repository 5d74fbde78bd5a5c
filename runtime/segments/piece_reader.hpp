#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "messages/segment_position.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/segments/segment_reader.hpp"

namespace cellos {

/// What none of the directories has.
struct log_gap {
  segment_position from;
  segment_position to;
};

/// Reads one log line by line from the pieces that collectors keep of it, in the order of its places, each once.
/// Directories are copies of the same log; of what several have, any is read.
///
/// Reaching the end is not final: next() looks again, and finds what was kept meanwhile.
class piece_reader {
 public:
  explicit piece_reader(std::vector<std::filesystem::path> directories);

  /// Nothing at the end, for the time being, or after a failure. The line lives until the next call; its number is 0.
  std::optional<evidence_line> next();

  /// What is missing before the line that was returned last, once.
  std::optional<log_gap> take_gap() { return std::exchange(gap_, std::nullopt); }
  const std::optional<segment_reader::read_failure>& failure() const { return failure_; }

 private:
  struct piece {
    segment_position begin;
    std::filesystem::path path;
  };

  bool refill();
  bool find_piece();
  bool open(const piece& next);
  std::vector<piece> list();
  void fail(std::error_code code, const char* what);

  std::vector<std::filesystem::path> directories_;
  /// Of the next line.
  segment_position at_;
  segment_position begin_;
  std::string path_;
  file_descriptor file_;
  std::string buffer_;
  std::size_t unread_ = 0;
  std::optional<log_gap> gap_;
  std::optional<segment_reader::read_failure> failure_;
};

}  // namespace cellos
