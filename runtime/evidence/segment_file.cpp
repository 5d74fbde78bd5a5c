#include "runtime/evidence/segment_file.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runtime/segments/line_scan.hpp"

namespace cellos {

namespace {

constexpr mode_t segment_mode = 0640;
constexpr int segment_flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

}  // namespace

segment_file::opening segment_file::create(const evidence_directory& directory, std::uint64_t segment) {
  auto& files = directory.files();
  const auto path = directory.segment_path(segment);
  file_descriptor handle{
      uninterrupted([&] { return files.open(path.c_str(), segment_flags | O_CREAT, segment_mode); })};
  if (!handle) return {{}, last_system_error()};
  const auto size = uninterrupted([&] { return files.file_size(handle.get()); });
  if (size < 0) return {{}, last_system_error()};
  // An empty file is what an earlier attempt left; anything else is not ours to touch.
  if (size > 0) return {{}, std::make_error_code(std::errc::file_exists)};
  if (auto failure = directory.sync()) return {{}, failure};
  std::unique_ptr<segment_file> file{new segment_file{directory, segment, std::move(handle)}};
  return {std::move(file), {}};
}

segment_file::opening segment_file::reopen(const evidence_directory& directory, std::uint64_t segment) {
  auto& files = directory.files();
  const auto path = directory.segment_path(segment);
  file_descriptor handle{uninterrupted([&] { return files.open(path.c_str(), segment_flags, 0); })};
  if (!handle) return {{}, last_system_error()};
  // Its entry may not be durable yet if the process that created it was killed at once.
  if (auto failure = directory.sync()) return {{}, failure};
  const auto bytes = uninterrupted([&] { return files.file_size(handle.get()); });
  if (bytes < 0) return {{}, last_system_error()};
  const auto size = static_cast<std::uint64_t>(bytes);
  std::error_code unread;
  const auto whole = end_of_last_line(files, handle.get(), size, unread);
  if (unread) return {{}, unread};
  std::unique_ptr<segment_file> file{new segment_file{directory, segment, std::move(handle)}};
  file->size_ = whole;
  if (whole < size) {
    if (auto failure = file->cut_back(whole)) return {{}, failure};
  }
  return {std::move(file), {}, size - whole};
}

segment_file::condition segment_file::look() const {
  file_identity held;
  file_identity found;
  if (uninterrupted([&] { return files_->identify(handle_.get(), held); }) != 0) return condition::as_left;
  if (uninterrupted([&] { return files_->identify(path_.c_str(), found); }) != 0) {
    return errno == ENOENT || errno == ENOTDIR ? condition::displaced : condition::as_left;
  }
  if (!held.is_same_file(found)) return condition::displaced;
  const auto bytes = static_cast<std::uint64_t>(held.bytes);
  if (bytes < size_) return condition::cut;
  return bytes > size_ && !tail_dirty_ ? condition::grown : condition::as_left;
}

std::uint64_t segment_file::bytes_missing() const {
  file_identity held;
  if (uninterrupted([&] { return files_->identify(handle_.get(), held); }) != 0) return 0;
  return size_ - std::min(size_, static_cast<std::uint64_t>(held.bytes));
}

std::error_code segment_file::append(std::string_view lines) {
  if (auto failure = make_whole()) return failure;
  if (auto failure = write_all(*files_, handle_.get(), lines)) {
    // If this fails as well, the next append begins with it.
    (void)cut_back(size_);
    return failure;
  }
  size_ += lines.size();
  return {};
}

std::error_code segment_file::cut_back(std::uint64_t size) {
  size_ = size;
  tail_dirty_ = true;
  return make_whole();
}

std::uint64_t segment_file::cut_torn_append(std::uint64_t begin, std::uint64_t end, std::error_code& failure) {
  const std::uint64_t size = size_;
  if (size <= begin || size >= end) return 0;
  char before = '\n';
  if (begin > 0 &&
      uninterrupted([&] { return files_->pread(handle_.get(), &before, 1, static_cast<off_t>(begin - 1)); }) != 1) {
    failure = last_system_error();
    return 0;
  }
  // Otherwise the file is not the one that was appended to, and its lines are left to be looked at.
  if (before != '\n') return 0;
  failure = cut_back(begin);
  return size - begin;
}

std::error_code segment_file::make_whole() {
  if (!tail_dirty_) return {};
  if (uninterrupted([&] { return files_->ftruncate(handle_.get(), static_cast<off_t>(size_)); }) != 0) {
    return last_system_error();
  }
  tail_dirty_ = false;
  return {};
}

std::error_code segment_file::sync() const {
  if (uninterrupted([&] { return files_->fdatasync(handle_.get()); }) != 0) return last_system_error();
  return {};
}

}  // namespace cellos
