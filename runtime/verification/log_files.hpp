#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace cellos::verification {

struct log_file {
  std::filesystem::path path;
  /// Files of one log have one number, follow each other, and are in the order the log was written.
  std::uint32_t log = 0;
};

struct verified_logs {
  std::vector<log_file> files;
  /// Files of evidence directories that look like a log and are none of it.
  std::vector<std::string> notes;
};

/// The files that `arguments` name: evidence directories, whose segments are one log, and single files, each a log of
/// its own, but for segments that lie in one directory. What is named twice is read once, and the order of the
/// arguments makes no difference. The alternative is a sentence: which of them cannot be read, and why.
std::variant<verified_logs, std::string> find_log_files(const std::vector<std::filesystem::path>& arguments);

}  // namespace cellos::verification
