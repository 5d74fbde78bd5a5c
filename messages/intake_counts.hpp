#pragma once

#include <cstdint>

namespace cellos {

/// What an intake has seen since it was bound. Readable from any thread.
struct intake_counts {
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t connections_accepted = 0;
  /// Connections closed at once: wrong peer uid, or more than the cell may hold.
  std::uint64_t connections_refused = 0;
  std::uint32_t connections_open = 0;
  std::uint32_t chunks_unacknowledged = 0;
  /// Whether the socket's file was there when last looked at: without it no guest finds the socket.
  bool file_in_place = true;
};

}  // namespace cellos
