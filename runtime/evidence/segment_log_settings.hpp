#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>

namespace cellos {

/// When appended lines are made durable against loss of power. A crash of the daemon alone loses none.
enum class fsync_policy : std::uint8_t {
  /// Before append returns. Appends that come together share one fdatasync.
  always,
  /// At most `fsync_interval`, and the time one fdatasync takes, after append returned.
  interval,
  /// When the kernel likes, and once at the end.
  never,
};

/// What an operator decides about the log on disk.
struct segment_log_settings {
  /// Directory of the segments.
  std::filesystem::path dir;
  fsync_policy fsync = fsync_policy::interval;
  /// Only of `fsync_policy::interval`. Default: chosen here, a tenth of a second of evidence at risk.
  std::chrono::nanoseconds fsync_interval = std::chrono::milliseconds{100};
  /// Bytes of all segments together. Default: chosen here, hours of a busy host's evidence.
  std::uint64_t max_bytes = std::uint64_t{10} << 30;
  /// A segment that would grow past this is followed by a new one. Default: chosen here; see `longest_segment`.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;

  /// Bytes that a segment grows to: at most a quarter of `max_bytes`, so that the log never has to forget most of
  /// itself at once.
  std::uint64_t longest_segment() const {
    constexpr std::uint64_t fewest_segments = 4;
    return std::min(segment_bytes, max_bytes / fewest_segments);
  }

  bool operator==(const segment_log_settings&) const = default;
};

}  // namespace cellos
