#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace cellos::bench {

/// A process that takes frames from sockets and writes lines to a log.
struct receiver {
  std::string name;
  /// The daemon's `evidence.fsync`; empty: the plain loop.
  std::string fsync;
  /// The daemon's events are signed by checkpoints.
  bool is_signed = false;
  /// The plain loop lets reads of so many microseconds share a wake-up.
  std::uint32_t pause_us = 0;
};

struct load {
  std::size_t cells = 1;
  std::uint64_t frames_each = 0;
  /// Frames a second of each cell, each a write of its own, spread evenly over all cells; 0: as many as are taken, in
  /// writes of 64 KiB.
  double pace = 0;

  std::uint64_t frames() const { return cells * frames_each; }
};

/// What one receiver came to with one load.
struct sample {
  double frames_per_second = 0;
  /// User and system time of the receiving process, from exec to exit.
  double cpu_ns_per_frame = 0;
  double peak_resident_mb = 0;
};

/// Runs the receiver and its guests, and checks that every frame is a line of the log. The clock runs from the first
/// `hostReceivedAt` of the log until the receiver, asked to stop when the guests have ended, is gone.
///
/// The log is written below `log_dir` and removed. The plain loop and the many guests are this executable again, as
/// `plain-loop` and `cell-writer` (see ingest.cpp).
sample measure(const receiver& who, const load& what, const std::filesystem::path& log_dir);

}  // namespace cellos::bench
