#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/verification/log_files.hpp"

namespace cellos::verification {

/// Whole lines of one file.
struct line_block {
  /// From 0 on, in the order of the log.
  std::uint64_t number = 0;
  std::uint32_t file = 0;
  bool begins_file = false;
  /// Of a file's first block: the number of the line it begins with.
  std::uint64_t first_line = 1;
  /// Of the file's last line, which has no newline: how much of it there is.
  std::uint64_t unterminated = 0;
  /// The block is a line too long to be read, which is left out.
  bool overlong = false;
  std::string_view lines() const { return {bytes.data(), size}; }

  std::vector<char> bytes;
  std::size_t size = 0;
};

/// Cuts files into blocks of whole lines. What is written to a file after it was opened is not read.
class block_reader {
 public:
  static constexpr std::size_t block_bytes = std::size_t{1} << 20;
  static constexpr std::size_t longest_line = std::size_t{16} << 20;

  explicit block_reader(std::vector<log_file> files) : files_(std::move(files)) {}

  /// The next block, in the memory of `block`. False at the end, or after a failure.
  bool next(line_block& block);

  /// Empty, or a sentence with the file.
  const std::string& failure() const { return failure_; }
  /// The failure is that a file was removed since the files were listed, as retention does.
  bool vanished() const { return vanished_; }
  std::uint64_t total_bytes() const;

 private:
  bool open_next();
  bool fill(line_block& block);
  bool skip_line(line_block& block, std::uint64_t skipped);
  /// Nothing read is the end of the file, or a failure.
  std::size_t read(char* into, std::size_t bytes);

  std::vector<log_file> files_;
  std::size_t next_file_ = 0;
  file_descriptor file_;
  std::uint64_t left_ = 0;
  bool file_begins_ = false;
  /// The beginning of a line that the block before ended in.
  std::vector<char> carried_;
  std::uint64_t number_ = 0;
  std::string failure_;
  bool vanished_ = false;
};

}  // namespace cellos::verification
