#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "messages/segment_position.hpp"
#include "runtime/verification/finding.hpp"

namespace cellos::verification {

struct log_file {
  std::filesystem::path path;
  /// Files of one log have one number, follow each other, and are in the order the log was written.
  std::uint32_t log = 0;
  /// Bytes at its beginning that another file of the log has as well, and how many lines these are.
  std::uint64_t skipped_bytes = 0;
  std::uint64_t skipped_lines = 0;
};

/// A file of a log whose places in the log are known.
struct log_range {
  std::filesystem::path path;
  /// Of the file's first byte.
  segment_position begin;
  /// What comes before in the segment is in another file.
  std::uint64_t from = 0;
};

/// A log of which is known where each of its bytes belongs: an evidence directory, or a collector's copy.
struct placed_log {
  /// The directory, or the first of them.
  std::filesystem::path directory;
  /// Whose it is; several where the host was given another id meanwhile, none where that is unknown.
  std::set<std::string, std::less<>> hosts;
  /// Hexadecimal; empty where an evidence directory has none.
  std::string log_id;
  /// Of a collector's copy, which; nothing of a host's own.
  std::optional<std::uint32_t> fork;
  /// In log order.
  std::vector<log_range> ranges;
};

struct verified_logs {
  std::vector<log_file> files;
  std::vector<placed_log> logs;
  /// Copies of one log that do not agree.
  std::vector<finding> findings;
  /// What no copy of a log has.
  std::vector<finding> gaps;
  /// Files of evidence directories that look like a log and are none of it.
  std::vector<std::string> notes;
};

/// The files that `arguments` name: evidence directories, whose segments are one log; directories of collectors' copies
/// (`HOST/LOG_ID`, all of a host, or all hosts), of which the same log of several collectors is one; and single files,
/// each a log of its own, but for segments that lie in one directory. What is named twice is read once, and the order
/// of the arguments makes no difference. The alternative is a sentence: which of them cannot be read, and why.
std::variant<verified_logs, std::string> find_log_files(const std::vector<std::filesystem::path>& arguments);

}  // namespace cellos::verification
