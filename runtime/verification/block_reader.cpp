#include "runtime/verification/block_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos::verification {

namespace {

/// Just past the last newline; 0 if there is none.
std::size_t end_of_lines(const char* bytes, std::size_t size) {
  const auto* newline = static_cast<const char*>(::memrchr(bytes, '\n', size));
  return newline == nullptr ? 0 : static_cast<std::size_t>(newline - bytes) + 1;
}

std::string quoted(const std::filesystem::path& path) { return "\"" + escaped(path.string(), 512) + "\" "; }

}  // namespace

bool block_reader::next(line_block& block) {
  while (failure_.empty()) {
    if (!file_ && !open_next()) return false;
    block.file = static_cast<std::uint32_t>(next_file_ - 1);
    block.unterminated = 0;
    block.overlong = false;
    block.size = 0;
    if (fill(block)) {
      block.number = number_++;
      block.begins_file = std::exchange(file_begins_, false);
      block.first_line = files_[block.file].skipped_lines + 1;
      return true;
    }
    file_.reset();
  }
  return false;
}

bool block_reader::open_next() {
  if (next_file_ == files_.size()) return false;
  const std::filesystem::path& path = files_[next_file_++].path;
  file_ = file_descriptor{uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })};
  struct stat found {};
  if (!file_ || ::fstat(file_.get(), &found) != 0) {
    vanished_ = errno == ENOENT;
    failure_ = quoted(path) + "cannot be read: " + std::strerror(errno);
    return false;
  }
  if (!S_ISREG(found.st_mode)) {
    failure_ = quoted(path) + "is not a regular file";
    return false;
  }
  (void)::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const log_file& file = files_[next_file_ - 1];
  left_ = static_cast<std::uint64_t>(found.st_size);
  left_ -= std::min(left_, file.skipped_bytes);
  if (file.skipped_bytes > 0) (void)::lseek(file_.get(), static_cast<off_t>(file.skipped_bytes), SEEK_SET);
  file_begins_ = true;
  carried_.clear();
  return true;
}

/// False at the end of the file, or after a failure.
bool block_reader::fill(line_block& block) {
  // With room for what is read, however much was carried.
  block.bytes.resize(std::max(block.bytes.size(), carried_.size() + block_bytes));
  std::copy(carried_.begin(), carried_.end(), block.bytes.begin());
  std::size_t have = carried_.size();
  carried_.clear();
  for (;;) {
    // What was carried past a line that was left out may hold whole lines.
    const std::size_t end = end_of_lines(block.bytes.data(), have);
    if (end > 0) {
      carried_.assign(block.bytes.begin() + static_cast<std::ptrdiff_t>(end),
                      block.bytes.begin() + static_cast<std::ptrdiff_t>(have));
      block.size = end;
      return true;
    }
    if (have >= longest_line) return skip_line(block, have);
    if (have == block.bytes.size()) block.bytes.resize(block.bytes.size() * 2);
    const std::size_t got = read(block.bytes.data() + have, block.bytes.size() - have);
    if (!failure_.empty()) return false;
    have += got;
    if (got == 0) {
      block.unterminated = have;
      return have > 0;
    }
  }
}

/// On to the next line.
bool block_reader::skip_line(line_block& block, std::uint64_t skipped) {
  block.bytes.resize(block_bytes);
  block.bytes.shrink_to_fit();
  for (;;) {
    const std::size_t got = read(block.bytes.data(), block.bytes.size());
    if (!failure_.empty()) return false;
    const auto* newline = static_cast<const char*>(std::memchr(block.bytes.data(), '\n', got));
    if (newline != nullptr) {
      const auto end = newline - block.bytes.data() + 1;
      carried_.assign(block.bytes.begin() + end, block.bytes.begin() + static_cast<std::ptrdiff_t>(got));
      block.overlong = true;
      break;
    }
    skipped += got;
    if (got == 0) {
      block.unterminated = skipped;
      break;
    }
  }
  return true;
}

std::size_t block_reader::read(char* into, std::size_t bytes) {
  std::size_t have = 0;
  bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left_));
  while (have < bytes) {
    const auto got = uninterrupted([&] { return ::read(file_.get(), into + have, bytes - have); });
    if (got < 0) {
      failure_ = quoted(files_[next_file_ - 1].path) + "cannot be read: " + std::strerror(errno);
      return 0;
    }
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  left_ -= have;
  return have;
}

std::uint64_t block_reader::total_bytes() const {
  std::uint64_t total = 0;
  for (const log_file& each : files_) {
    std::error_code vanished;
    const auto size = std::filesystem::file_size(each.path, vanished);
    total += vanished ? 0 : size;
  }
  return total;
}

}  // namespace cellos::verification
