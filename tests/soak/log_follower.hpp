#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/evidence/segment_reader.hpp"

namespace cellos::soak {

/// What the log holds of one cell's numbered frames.
struct followed_cell {
  std::uint64_t declarations = 0;
  /// Frames of chunks that were set aside, as the log tells, and those chunks.
  std::uint64_t quarantined_frames = 0;
  std::uint64_t quarantined_chunks = 0;
  /// Numbers that were jumped over.
  std::uint64_t missing = 0;
  /// Numbers that came when a higher one had come: twice, or out of order.
  std::uint64_t repeated = 0;
  std::uint64_t last_number = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t sequence_faults = 0;
  bool ended = false;
};

/// Reads a log as it grows, judges each line, and tells how far it got, so that what was read may go. On a thread of
/// its own.
class log_follower {
 public:
  using cells = std::map<std::string, followed_cell, std::less<>>;

  /// `read_up_to` hears of segments before which nothing is needed any more.
  log_follower(std::filesystem::path dir, std::function<void(std::uint64_t segment)> read_up_to);
  ~log_follower();

  /// Reads to the end of a log that nobody writes to any more, and answers with what it held.
  cells finish();

  std::uint64_t lines() const { return lines_; }

 private:
  void run();
  void take(std::string_view line);

  segment_reader reader_;
  std::function<void(std::uint64_t)> read_up_to_;
  cells cells_;
  std::atomic<std::uint64_t> lines_{0};
  std::atomic<bool> finishing_{false};
  std::thread thread_;
};

}  // namespace cellos::soak
