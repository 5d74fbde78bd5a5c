#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "runtime/jetstream/stream_delivery.hpp"

namespace cellos {

/// What a delivery to a stream keeps beside the log: `delivered-to-stream`. A hint; it may be old, and after a loss of
/// power anything.
struct stream_mark {
  stream_hint reached;
  /// Stream, prefix and fence, as configured: of another stream nothing is remembered.
  std::string stream;

  bool operator==(const stream_mark&) const = default;
};

/// Nothing where there is none, or none that can be read.
std::optional<stream_mark> read_stream_mark(const std::filesystem::path& dir);
/// Replaces it; not synced.
std::error_code write_stream_mark(const std::filesystem::path& dir, const stream_mark& mark);

}  // namespace cellos
