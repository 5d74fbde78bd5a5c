#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::verification {

/// A file's bytes by their place.
class file_text {
 public:
  /// Nothing can be read of one that is not there.
  explicit file_text(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  bool is_open() const { return static_cast<bool>(file_); }
  /// As it is at the moment.
  std::uint64_t size() const;
  /// As many as there are, at most `bytes`; nothing on failure.
  std::optional<std::string> read(std::uint64_t offset, std::uint64_t bytes) const;
  /// Up to behind its last newline.
  std::uint64_t whole_lines() const;
  /// Newlines before `end`; nothing on failure.
  std::optional<std::uint64_t> lines_before(std::uint64_t end) const;
  /// With its newline; nothing where no line ends there, or on failure.
  std::optional<std::string> line_ending_at(std::uint64_t end) const;
  /// A sentence.
  std::string failure() const;

 private:
  std::filesystem::path path_;
  file_descriptor file_;
};

}  // namespace cellos::verification
