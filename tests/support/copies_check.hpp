#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/segments/copy_name.hpp"
#include "tests/support/files.hpp"

namespace cellos::test {

/// The bytes of a host's log by segment.
using log_text = std::map<std::uint64_t, std::string>;

/// Compares what collectors keep of a log with the log: each piece byte for byte at its place, no line twice in one
/// copy.
class copies_check {
 public:
  explicit copies_check(const log_text& log) : log_(log) {
    for (const auto& [segment, text] : log) covered_[segment].assign(text.size(), false);
  }

  /// All pieces below a copy's directory.
  void look_at(const std::filesystem::path& copy) {
    std::map<std::uint64_t, std::uint64_t> end_of;
    std::vector<std::pair<segment_position, std::filesystem::path>> pieces;
    for (const auto& entry : std::filesystem::directory_iterator{copy}) {
      const auto begin = parse_piece_file_name(entry.path().filename().native());
      if (!begin)
        problem("a strange file " + entry.path().native());
      else
        pieces.emplace_back(*begin, entry.path());
    }
    std::sort(pieces.begin(), pieces.end());
    for (const auto& [begin, path] : pieces) {
      const std::string text = content_of(path);
      if (begin.offset < end_of[begin.segment]) problem(path.native() + " doubles lines");
      end_of[begin.segment] = begin.offset + text.size();
      compare(begin, text, path);
    }
  }

  /// Empty if every byte of the log is in some copy and nothing else is.
  std::string finish() {
    std::uint64_t missing = 0;
    for (const auto& [segment, bytes] : covered_) {
      for (const bool has : bytes) missing += has ? 0 : 1;
    }
    if (missing > 0) problem(std::to_string(missing) + " bytes are missing");
    return problems_;
  }

 private:
  void compare(segment_position begin, const std::string& text, const std::filesystem::path& path) {
    const auto log = log_.find(begin.segment);
    if (log == log_.end() || log->second.compare(begin.offset, text.size(), text) != 0 ||
        log->second.size() < begin.offset + text.size()) {
      return problem(path.native() + " is not what the log says");
    }
    auto& covered = covered_[begin.segment];
    std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(begin.offset), text.size(), true);
  }
  void problem(const std::string& what) { problems_ += what + "\n"; }

  const log_text& log_;
  std::map<std::uint64_t, std::vector<bool>> covered_;
  std::string problems_;
};

}  // namespace cellos::test
