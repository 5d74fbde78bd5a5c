#pragma once

#include <filesystem>
#include <system_error>

#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// A file whose flock says who may write to another file, which is replaced and so cannot carry a lock itself.
class lock_file {
 public:
  explicit lock_file(std::filesystem::path path) : path_(std::move(path)) {}

  /// Nothing if the lock is ours and its file still the one at the path, or has become ours by this call.
  /// `operation_would_block` if somebody else has it.
  std::error_code hold();

  const std::filesystem::path& path() const { return path_; }

 private:
  bool is_still_there() const;

  std::filesystem::path path_;
  file_descriptor locked_;
};

}  // namespace cellos
