#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/socket_service/byte_budget.hpp"
#include "runtime/socket_service/chunk_maker.hpp"

// What is decided about reading guests' connections, without a descriptor or a clock: the I/O thread carries it out
// with system calls, the simulation with bytes in memory.

namespace cellos {

/// What is to be done with a connection next.
enum class reading_step : std::uint8_t {
  /// Nothing.
  wait,
  /// Read its socket, and `take` what that gives.
  receive,
  /// `take_kept`: what was copied comes before what the socket still has.
  take_kept,
  /// There is no credit and its peer has left: read its socket, and `keep` what that gives.
  keep,
  /// As `keep`, but there is no room; later there may be.
  keep_later,
};

/// What is to be known of a connection's socket.
enum class socket_watch : std::uint8_t {
  nothing,
  /// Once, that the peer has left. What it has written waits for credit.
  leaving,
  input,
};

/// What a read of a socket came to.
enum class read_outcome : std::uint8_t {
  bytes,
  nothing_yet,
  /// The kernel lacked memory: the bytes are still there.
  shortage,
  /// No more bytes will come.
  end,
};

/// Of what recv returned, and errno.
read_outcome outcome_of(ssize_t got, int error);

/// What the connections of one cell share.
class cell_reading {
 public:
  /// Copied of one cell's guests that left. Chosen here: what one socket's buffer holds.
  static constexpr std::size_t most_kept_bytes = 256 * 1024;
  /// Connections of one cell read to their end and not yet taken into chunks. Chosen here.
  static constexpr std::size_t most_read_to_their_end = 256;

  /// What is kept counts in `budget`.
  explicit cell_reading(byte_budget& budget) : budget_(&budget) {}

  /// The cell takes no more guests. What they have not been read of by `deadline` is not read.
  void begin_draining(monotonic_time deadline) { drained_by_ = deadline; }
  bool draining() const { return drained_by_.has_value(); }
  bool drain_overdue(monotonic_time now) const { return drained_by_ && now >= *drained_by_; }

  /// Connections that hold no descriptor any more.
  std::size_t read_to_their_end() const { return read_to_their_end_; }
  /// Bytes that may be kept by now.
  std::size_t room() const;

 private:
  friend class connection_reading;

  byte_budget* budget_;
  std::size_t kept_bytes_ = 0;
  std::size_t read_to_their_end_ = 0;
  std::optional<monotonic_time> drained_by_;
};

/// One connection: what to read of it, what was kept of it, and the chunks that come of that.
///
/// `credit` is whether the cell may be read. After each call that gives a chunk, `ended` says whether the connection is
/// to be closed.
class connection_reading {
 public:
  /// `cell` is used until `ended`.
  connection_reading(std::uint64_t number, cell_reading& cell) : cell_(&cell), chunks_(number) {}

  /// Its socket may have something.
  reading_step on_input(bool credit) const;
  /// Its peer has left.
  reading_step on_peer_left(bool credit) const;
  socket_watch wanted_watch(bool credit) const;

  std::optional<received_chunk> take(std::span<const std::uint8_t> bytes, read_time at);
  /// At most so many bytes of what was kept; the connection's end when nothing is left.
  std::optional<received_chunk> take_kept(std::size_t most, read_time at);
  /// No more bytes will come, or none will be read.
  std::optional<received_chunk> end(read_time at);

  /// At most the cell's `room`.
  void keep(std::span<const std::uint8_t> bytes);
  /// Nothing is left in its socket: the descriptor can go.
  void kept_to_its_end();
  /// Ends it without a chunk: nobody takes them any more.
  void abandon();

  bool ended() const { return chunks_.ended(); }
  bool read_to_its_end() const { return read_to_its_end_; }
  std::size_t kept_bytes() const { return kept_.size(); }
  /// Whether it has stood inside one frame for longer than `limit`. One that is held back waits for us, not we for it.
  bool overdue(monotonic_time now, std::chrono::nanoseconds limit) const { return chunks_.overdue(now, limit); }

 private:
  void give_back_kept();
  std::optional<received_chunk> settled(std::optional<received_chunk> chunk);

  cell_reading* cell_;
  chunk_maker chunks_;
  /// Read before there was credit: comes before whatever the socket still has.
  std::vector<std::uint8_t> kept_;
  bool read_to_its_end_ = false;
};

}  // namespace cellos
