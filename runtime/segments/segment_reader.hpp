#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/segments/segment_name.hpp"

namespace cellos {

/// One line of the log, borrowed from its reader until the next call.
struct evidence_line {
  /// Without its newline.
  std::string_view text;
  std::string_view file;
  /// From 1, counted from where reading began in this file.
  std::uint64_t number = 0;
  /// Where the line begins; `segment` is 0 in a file the log did not name.
  segment_position begin;

  /// Where to go on after this line.
  segment_position end() const { return {begin.segment, begin.offset + text.size() + 1}; }
};

/// Bytes after a file's last newline: a line being written, or one cut short for good.
struct unterminated_tail {
  std::string file;
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Reads a log line by line in constant memory: the segments of a directory in their order (see list_log), or single
/// files.
///
/// Reaching the end is not final: next() looks again when called again, and finds lines, and in a directory segments,
/// written meanwhile. A line without newline is not delivered. If the log takes back lines that were delivered already
/// (a failed write or commit), reading goes on at a line near the new end; stop_at() keeps a reader away from such
/// lines.
class segment_reader {
 public:
  struct read_failure {
    std::error_code code;
    /// A sentence for a person, with the file.
    std::string explanation;
  };

  /// In bytes; a longer one is a failure.
  static constexpr std::size_t longest_line = std::size_t{16} << 20;

  /// Files and directories, taken in order of their paths. Only the last one is followed as it grows.
  explicit segment_reader(std::vector<std::filesystem::path> sources);

  /// A log's directory from `start` on, or from the first segment after it that still exists. If no line begins at
  /// `start`, the file is not the one `start` was noted for, and the segment is read from its beginning.
  segment_reader(std::filesystem::path dir, segment_position start);

  /// Nothing at the end, for the time being, or after a failure.
  std::optional<evidence_line> next();

  /// Lines beyond `limit` are left for later. Of use with a single directory only.
  void stop_at(segment_position limit) { limit_ = limit; }

  const std::optional<read_failure>& failure() const { return failure_; }

  /// Segments of a directory that were removed before they were read, since the last call: their lines were not
  /// delivered. In the order of `next()`: known when the line behind them is returned.
  std::optional<segment_range> take_skipped() { return std::exchange(skipped_, std::nullopt); }

  /// What lay in the directory when it was first listed and is not the log; see log_listing.
  const std::vector<std::string>& other_files() const { return other_files_; }

  /// Tails of files left behind, and of the current file as of the last next() that returned nothing.
  std::vector<unterminated_tail> unterminated_tails() const;

 private:
  std::optional<evidence_line> take_line();
  bool refill();
  /// Leaves room for the byte before.
  std::size_t buffer_room() const { return buffer_.size() - 1; }
  std::size_t readable_bytes() const;
  std::optional<std::size_t> read(std::uint64_t from, std::size_t bytes);
  bool step_back();
  bool advance();
  bool find_files();
  bool list_directory();
  bool open_file(const std::filesystem::path& path);
  void note_skipped();
  void begin_at_start();
  void fail(std::error_code code, const std::string& explanation);

  std::vector<std::filesystem::path> sources_;
  std::size_t next_source_ = 0;
  /// The directory being read, if the current source is one.
  std::optional<std::filesystem::path> directory_;
  /// Segments before this one are not taken from `directory_`.
  std::uint64_t next_listed_ = 0;
  /// The segment after the last one opened, or where reading is to begin; 0 if any may come first.
  std::uint64_t expected_ = 0;
  std::optional<segment_range> skipped_;
  std::vector<std::string> other_files_;
  std::deque<std::filesystem::path> upcoming_;

  segment_position start_;
  std::optional<segment_position> limit_;

  file_descriptor file_;
  std::string path_;
  std::uint64_t segment_ = 0;
  /// Of the next line; where the unread part of the buffer comes from.
  std::uint64_t offset_ = 0;
  std::uint64_t number_ = 1;
  std::vector<char> buffer_;
  std::size_t unread_begin_ = 0;
  std::size_t unread_end_ = 0;
  std::uint64_t tail_bytes_ = 0;

  std::vector<unterminated_tail> tails_;
  std::optional<read_failure> failure_;
};

}  // namespace cellos
