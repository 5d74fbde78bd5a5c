#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtime/evidence/evidence_directory.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

/// One segment open for appending. It ends with a newline or is empty.
///
/// What a failed write leaves behind is cut off at once or, if that fails too, before the next write.
class segment_file {
 public:
  struct opening {
    /// Null on failure.
    std::unique_ptr<segment_file> file;
    std::error_code failure;
    /// Bytes after the last newline, cut off.
    std::uint64_t bytes_removed = 0;
  };

  /// An empty segment, mode 0640, whose directory entry is durable. `directory` must outlive it.
  static opening create(const evidence_directory& directory, std::uint64_t segment);
  static opening reopen(const evidence_directory& directory, std::uint64_t segment);

  /// What became of the file behind our back.
  enum class condition : std::uint8_t {
    as_left,
    /// At its path is another file or none: nobody will find what is written to this one.
    displaced,
    /// Somebody cut it.
    cut,
    /// Somebody else writes to it.
    grown,
  };

  /// `as_left` where it cannot be found out.
  condition look() const;
  /// How much of what was appended is not in the file.
  std::uint64_t bytes_missing() const;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t segment() const { return segment_; }
  std::uint64_t size() const { return size_; }

  /// All or nothing.
  std::error_code append(std::string_view lines);

  /// Takes back everything after `size`. `size()` says so even when the file cannot follow yet.
  std::error_code cut_back(std::uint64_t size);

  /// Takes back lines of an append from `begin` to `end` that was cut short. Answers with how many bytes that were.
  std::uint64_t cut_torn_append(std::uint64_t begin, std::uint64_t end, std::error_code& failure);

  /// Makes the file end where `size()` says. Costs nothing when it does.
  std::error_code make_whole();

  /// May run while another thread appends.
  std::error_code sync() const;

 private:
  segment_file(const evidence_directory& directory, std::uint64_t segment, file_descriptor handle)
      : files_(&directory.files()),
        path_(directory.segment_path(segment)),
        segment_(segment),
        handle_(std::move(handle)) {}

  file_system* files_;
  std::filesystem::path path_;
  std::uint64_t segment_;
  file_descriptor handle_;
  std::uint64_t size_ = 0;
  /// Bytes that are not ours may follow `size_`.
  bool tail_dirty_ = false;
};

}  // namespace cellos
