#pragma once

#include <filesystem>
#include <mutex>

#include "actors/ports.hpp"

namespace cellos {

/// Keeps quarantined chunks as files, named by `quarantine_name`: the chunk's bytes as the guest sent them.
///
/// A guest cannot make a chunk that DECODERs die of, unless there is a bug; so few are kept, for whoever mends it.
class quarantine_directory final : public quarantine_store {
 public:
  /// Further chunks are only counted. Chosen here: 1000 chunks are at most 64 MiB.
  static constexpr std::size_t max_files = 1000;

  /// The directory is made when first needed.
  explicit quarantine_directory(std::filesystem::path dir) : dir_(std::move(dir)) {}

  std::optional<std::string> set_aside(std::string_view cell_id, const received_chunk& chunk) override;

 private:
  std::mutex mutex_;
  const std::filesystem::path dir_;
};

}  // namespace cellos
