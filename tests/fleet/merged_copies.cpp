#include "tests/fleet/merged_copies.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/files.hpp"

namespace cellos::fleet {

namespace {

constexpr std::string_view declared = R"("hostReceivedAt":")";

std::uint64_t count_of(std::string_view text, std::string_view part) {
  std::uint64_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

test::log_text read_log(const std::filesystem::path& dir) {
  test::log_text log;
  std::error_code failure;
  for (const auto& each : list_segments(dir, failure)) {
    log[each.segment] = test::content_of(dir / segment_file_name(each.segment));
  }
  return log;
}

void put(const std::filesystem::path& piece, segment_position at, const std::filesystem::path& merged) {
  const auto path = merged / segment_file_name(at.segment);
  if (!std::filesystem::exists(path)) test::write_file(path, "");
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(static_cast<std::streamoff>(at.offset));
  file << test::content_of(piece);
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// One directory, named after the log, and no fork beside it.
void check_copies(const std::filesystem::path& kept, const std::string& log_id, merge_result& result) {
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator{kept, absent}) {
    if (entry.path().filename() != log_id) result.faults.push_back("a copy of another log: " + entry.path().string());
  }
}

}  // namespace

merge_result merge_copies(const std::filesystem::path& evidence_dir, const std::vector<std::filesystem::path>& kept,
                          const std::filesystem::path& merged) {
  merge_result result;
  std::string log_id = test::content_of(evidence_dir / "log-id");
  std::erase_if(log_id, [](unsigned char c) { return std::isspace(c) != 0; });
  const test::log_text log = read_log(evidence_dir);
  for (const auto& [segment, text] : log) {
    result.log_bytes += text.size();
    result.log_lines += count_of(text, "\n");
    result.logged += count_of(text, declared);
  }
  std::filesystem::create_directories(merged);
  test::copies_check check{log};
  for (const auto& each : kept) {
    check_copies(each, log_id, result);
    const auto copy = each / log_id;
    if (!std::filesystem::exists(copy)) continue;
    check.look_at(copy);
    for (const auto& piece : std::filesystem::directory_iterator{copy}) {
      const auto begin = parse_piece_file_name(piece.path().filename().native());
      if (!begin) continue;
      ++result.pieces;
      result.copied_bytes += piece.file_size();
      put(piece.path(), *begin, merged);
    }
  }
  if (const auto problems = check.finish(); !problems.empty()) result.faults.push_back(problems);
  if (read_log(merged) != log) result.faults.push_back(merged.string() + " differs from " + evidence_dir.string());
  return result;
}

}  // namespace cellos::fleet
