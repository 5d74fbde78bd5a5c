#include "runtime/segments/line_scan.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace cellos {

namespace {

constexpr std::uint64_t block_bytes = 64 * 1024;

/// Reads all of `block` at `offset`.
std::error_code read_block(file_system& files, int fd, std::uint64_t offset, std::string& block) {
  std::size_t have = 0;
  while (have < block.size()) {
    const auto bytes = uninterrupted(
        [&] { return files.pread(fd, block.data() + have, block.size() - have, static_cast<off_t>(offset + have)); });
    if (bytes < 0) return last_system_error();
    // The file is shorter than we expected.
    if (bytes == 0) return std::make_error_code(std::errc::io_error);
    have += static_cast<std::size_t>(bytes);
  }
  return {};
}

}  // namespace

std::uint64_t end_of_last_line(file_system& files, int fd, std::uint64_t end, std::error_code& failure) {
  std::string block;
  while (end > 0) {
    const auto begin = end - std::min(end, block_bytes);
    block.resize(end - begin);
    failure = read_block(files, fd, begin, block);
    if (failure) return 0;
    if (const auto newline = block.rfind('\n'); newline != std::string::npos) return begin + newline + 1;
    end = begin;
  }
  return 0;
}

std::optional<std::string> line_ending_at(file_system& files, int fd, std::uint64_t end, std::error_code& failure) {
  if (end == 0) return std::nullopt;
  const auto begin = end_of_last_line(files, fd, end - 1, failure);
  if (failure) return std::nullopt;
  std::string line(end - begin, '\0');
  failure = read_block(files, fd, begin, line);
  if (failure || line.back() != '\n') return std::nullopt;
  return line;
}

std::size_t count_lines(std::string_view text) {
  std::size_t lines = 0;
  const char* const end = text.data() + text.size();
  for (const char* from = text.data(); from != end; ++lines) {
    const auto* const newline = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
    if (newline == nullptr) break;
    from = newline + 1;
  }
  return lines;
}

}  // namespace cellos
