#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "messages/segment_position.hpp"

namespace cellos {

/// `evidence-00000000000000000001.jsonl`: twenty digits, so that name order is log order.
std::string segment_file_name(std::uint64_t segment);

/// Nothing if the log did not name this file.
std::optional<std::uint64_t> segment_of(std::string_view file_name);

struct segment_on_disk {
  std::uint64_t segment = 0;
  std::uint64_t bytes = 0;
};

/// From `first` to `last`, both included.
struct segment_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const segment_range&) const = default;
};

struct log_listing {
  /// Oldest first.
  std::vector<segment_on_disk> segments;
  /// Names of entries that look like a log to a person and are not part of this one, sorted: other `*.jsonl`, and what
  /// has a segment's name and is not a regular file.
  std::vector<std::string> others;
};

/// Which entries of `dir` are the log: regular files with a segment's name. Whoever writes or reads a log's directory
/// asks this function. A file that vanishes meanwhile is left out.
log_listing list_log(const std::filesystem::path& dir, std::error_code& failure);

/// The segments of `list_log`.
std::vector<segment_on_disk> list_segments(const std::filesystem::path& dir, std::error_code& failure);

}  // namespace cellos
