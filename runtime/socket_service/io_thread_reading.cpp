// Reading: carries out with system calls what connection_reading decides, and hands on the chunks that come of it.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/socket_service/io_thread.hpp"

namespace cellos {

namespace {

/// With so much to decode, a wake-up is worth it at once. Chosen here.
constexpr std::size_t most_kept_bytes = std::size_t{128} << 10;

}  // namespace

/// Whether there is credit; without it, where the bytes of all cells are used up, whoever gives some back wakes us.
bool io_thread::may_read(bound_cell& cell) {
  if (cell.chunks.may_read()) return true;
  if (budget_.exhausted()) budget_wanted_ = true;
  return false;
}

void io_thread::watch_connection(guest_connection& connection, bool credit) {
  watch_for(connection, connection.socket.get(), connection.reading.wanted_watch(credit));
}

bool io_thread::read_from(guest_connection& connection) {
  if (connection.reading.ended()) return false;
  if (may_read(*connection.cell)) return carry_out(connection, connection.reading.on_input(true));
  watch_connection(connection, false);
  // Credit that came back meanwhile has notified the thread of the cell, or does so next.
  if (connection.cell->chunks.may_read()) watch_connection(connection, true);
  return false;
}

/// A guest that comes and goes while there is no credit holds memory that is counted, and no descriptors.
void io_thread::let_go(guest_connection& connection) {
  if (connection.reading.ended()) return;
  const bool credit = may_read(*connection.cell);
  if (credit) watch_connection(connection, true);
  while (carry_out(connection, connection.reading.on_peer_left(credit)) && !credit) {}
}

bool io_thread::carry_out(guest_connection& connection, reading_step step) {
  switch (step) {
    case reading_step::wait: return false;
    case reading_step::receive: return receive(connection);
    case reading_step::take_kept: return take_kept(connection);
    case reading_step::keep: return keep(connection);
    case reading_step::keep_later: return look_again_soon(connection);
  }
  return false;
}

bool io_thread::receive(guest_connection& connection) {
  const std::size_t most = std::min(buffer_.size(), read_bytes_.load());
  const ssize_t got = calls_.recv(connection.socket.get(), buffer_.data(), most);
  switch (outcome_of(got, errno)) {
    case read_outcome::bytes: {
      const auto bytes = static_cast<std::size_t>(got);
      more_is_there_ = more_is_there_ || bytes == most;
      count_read(*connection.cell, bytes);
      deliver(connection, connection.reading.take(std::span{buffer_}.first(bytes), now()));
      return true;
    }
    case read_outcome::nothing_yet: return false;
    // Unwatched until the next scan, or the kernel would report the bytes without pause.
    case read_outcome::shortage: return look_again_soon(connection);
    case read_outcome::end: end_connection(connection); return true;
  }
  return false;
}

bool io_thread::take_kept(guest_connection& connection) {
  const std::size_t bytes =
      std::min({connection.reading.kept_bytes(), socket_service_options::most_read_bytes, read_bytes_.load()});
  if (bytes > 0) count_read(*connection.cell, bytes);
  deliver(connection, connection.reading.take_kept(bytes, now()));
  return true;
}

bool io_thread::keep(guest_connection& connection) {
  const std::size_t most = std::min(buffer_.size(), connection.cell->reading.room());
  const ssize_t got = calls_.recv(connection.socket.get(), buffer_.data(), most);
  switch (outcome_of(got, errno)) {
    case read_outcome::bytes:
      connection.reading.keep(std::span{buffer_}.first(static_cast<std::size_t>(got)));
      return true;
    case read_outcome::nothing_yet:
    case read_outcome::shortage: return look_again_soon(connection);
    case read_outcome::end:
      give_back_descriptor(connection);
      connection.reading.kept_to_its_end();
      return false;
  }
  return false;
}

void io_thread::count_read(bound_cell& cell, std::size_t bytes) {
  bytes_this_turn_ += bytes;
  ++reads_this_turn_;
  cell.bytes_received += bytes;
}

/// That its peer has left was reported once; watched anew, it is reported again.
bool io_thread::look_again_soon(guest_connection& connection) {
  disarm(connection, connection.socket.get());
  arming_wanted_ = true;
  return false;
}

void io_thread::read_those_that_left(bound_cell& cell) {
  while (cell.reading.read_to_their_end() > 0 && cell.chunks.may_read()) {
    const auto left = std::find_if(cell.connections.begin(), cell.connections.end(),
                                   [](const auto& connection) { return connection->reading.read_to_its_end(); });
    carry_out(**left, (*left)->reading.on_input(true));
  }
}

void io_thread::give_back_descriptor(guest_connection& connection) {
  disarm(connection, connection.socket.get());
  connection.socket.reset();
  --connection.cell->connections_open;
  --connections_open_;
  if (observer_ != nullptr) observer_->disconnected(connection.cell->specification);
}

void io_thread::end_connection(guest_connection& connection) { deliver(connection, connection.reading.end(now())); }

/// A connection that has ended with this chunk, or without one, is closed.
void io_thread::deliver(guest_connection& connection, std::optional<received_chunk> chunk) {
  bound_cell& cell = *connection.cell;
  if (chunk) {
    cell.frames_received += chunk->frames;
    bytes_kept_ += chunk->bytes.size();
    cell.chunks.keep(std::move(*chunk));
    // A cell that is here twice has nothing to deliver the second time.
    if (with_chunks_.empty() || with_chunks_.back() != &cell) with_chunks_.push_back(&cell);
    if (bytes_kept_ >= most_kept_bytes) deliver_kept();
  }
  if (!connection.reading.ended()) return;
  if (connection.socket) give_back_descriptor(connection);
  const auto mine = std::find_if(cell.connections.begin(), cell.connections.end(),
                                 [&](const auto& other) { return other.get() == &connection; });
  closed_.push_back(std::move(*mine));  // events of this turn may still point to it
  cell.connections.erase(mine);
}

/// Many small chunks of a turn together: those who decode are woken once, and find all of them.
void io_thread::deliver_kept() {
  for (bound_cell* cell : with_chunks_) cell->chunks.deliver_kept();
  with_chunks_.clear();
  bytes_kept_ = 0;
}

}  // namespace cellos
