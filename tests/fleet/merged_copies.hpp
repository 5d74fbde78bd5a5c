#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cellos::fleet {

/// What collectors keep of one host's log, held against that log.
struct merge_result {
  std::uint64_t log_lines = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t logged = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t pieces = 0;
  /// Each a sentence.
  std::vector<std::string> faults;
};

/// Compares every copy with the log, and puts all of them together by position in `merged`, segment by segment, as a
/// reader of collectors' directories would. `kept`: for each collector, what it keeps of this host.
merge_result merge_copies(const std::filesystem::path& evidence_dir, const std::vector<std::filesystem::path>& kept,
                          const std::filesystem::path& merged);

}  // namespace cellos::fleet
