#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

/// A connected guest that writes what it is asked to and nothing by itself. An exception says what the host did not let
/// it do.
class raw_guest {
 public:
  explicit raw_guest(const std::string& socket)
      : connection_(guest_sim::connection::open(socket, test_timeout, never_)), maker_(1, wire::content_version_1_0) {}

  /// The next `count` honest declarations, numbered on from the last.
  void write_frames(std::uint64_t count);
  /// A declaration of a process that was spawned. Takes a number, too.
  void write_frame(std::string_view probe_source, std::string_view guest_comm);
  /// The first half of one more frame.
  void write_half_a_frame();
  void write(std::span<const std::uint8_t> bytes);

  /// False if the host still has the connection after `limit`.
  bool is_closed_within(std::chrono::nanoseconds limit) const;
  void close() { connection_.close(); }

 private:
  guest_sim::stop_signal never_;
  guest_sim::connection connection_;
  guest_sim::frame_maker maker_;
};

/// A socket that listens at `path`; the file stays when it is closed.
file_descriptor listen_at(const std::string& path);

/// Whether a connect succeeds at once.
bool accepts_connections(const std::string& path);

}  // namespace cellos::test
