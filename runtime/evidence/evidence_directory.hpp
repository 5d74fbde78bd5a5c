#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

/// A directory in which this object is the only writer of evidence, for as long as it lives: flock on the directory
/// itself, which nobody can remove while it has files, and on `.lock`, where earlier versions look.
class evidence_directory {
 public:
  struct claim_result {
    /// Null when refused.
    std::unique_ptr<evidence_directory> directory;
    /// A sentence for a person: the path, the reason, what to do.
    std::string refusal;
  };

  /// Creates what is missing of `path`, mode 0750.
  static claim_result claim(const std::filesystem::path& path, file_system& files);

  const std::filesystem::path& path() const { return path_; }
  file_system& files() const { return files_; }
  std::filesystem::path segment_path(std::uint64_t segment) const;

  /// False if at its path is another directory by now, or none: whatever is created there is not under our lock. True
  /// where that cannot be found out.
  bool is_in_place() const;

  /// Makes the directory's entries durable.
  std::error_code sync() const;

 private:
  evidence_directory(std::filesystem::path path, file_system& files) : path_(std::move(path)), files_(files) {}

  std::filesystem::path path_;
  file_system& files_;
  file_descriptor entries_;
  file_descriptor lock_;
};

}  // namespace cellos
