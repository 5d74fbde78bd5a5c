// Connections that their peers have left while there was no credit to read them: what they wrote is copied, within
// bounds, and their descriptors are given back. A guest that comes and goes holds memory that is counted, and no
// descriptors.

#include <algorithm>
#include <cerrno>

#include "runtime/socket_service/io_thread.hpp"

namespace cellos {

namespace {

/// Copied of one cell. Chosen here: what one socket's buffer holds.
constexpr std::size_t most_kept_bytes = 256 * 1024;
/// Connections of one cell read to their end and not yet taken into chunks. Chosen here.
constexpr std::size_t most_read_to_their_end = 256;

bool may_pass(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

void io_thread::hold_back(guest_connection& connection) {
  if (connection.read_to_its_end) return;
  if (connection.cell->draining) return disarm(connection, connection.socket.get());
  watch_for(connection, connection.socket.get(), pollable::watch::leaving);
}

/// True if its descriptor was given back, or something was read.
bool io_thread::let_go(guest_connection& connection) {
  if (connection.closed || connection.read_to_its_end) return false;
  bound_cell& cell = *connection.cell;
  if (!cell.draining && cell.chunks.may_read()) {
    arm(connection, connection.socket.get());
    return read_from(connection);
  }
  if (budget_.exhausted()) budget_wanted_ = true;
  while (keep_some(connection)) {}
  return connection.read_to_its_end;
}

/// True if there may be more to copy.
bool io_thread::keep_some(guest_connection& connection) {
  bound_cell& cell = *connection.cell;
  const bool room = cell.kept_bytes < most_kept_bytes && cell.read_to_their_end < most_read_to_their_end;
  if (!room || budget_.exhausted()) return look_again_soon(connection);
  const std::size_t most = std::min(buffer_.size(), most_kept_bytes - cell.kept_bytes);
  const ssize_t got = calls_.recv(connection.socket.get(), buffer_.data(), most);
  if (got > 0) {
    connection.kept.insert(connection.kept.end(), buffer_.begin(), buffer_.begin() + got);
    cell.kept_bytes += static_cast<std::size_t>(got);
    budget_.take(static_cast<std::size_t>(got));
    return true;
  }
  if (got < 0 && may_pass(errno)) return look_again_soon(connection);
  give_back_descriptor(connection);
  connection.read_to_its_end = true;
  ++cell.read_to_their_end;
  return false;
}

/// That its peer has left was reported once; watched anew, it is reported again.
bool io_thread::look_again_soon(guest_connection& connection) {
  disarm(connection, connection.socket.get());
  arming_wanted_ = true;
  return false;
}

/// What was copied comes before what the socket still has.
bool io_thread::read_kept(guest_connection& connection) {
  const std::size_t bytes = std::min({connection.kept.size(), buffer_.size(), read_bytes_.load()});
  if (bytes == 0) {
    end_connection(connection, connection.frames.inside_frame() ? chunk_ending::torn : chunk_ending::closed);
    return true;
  }
  const auto end = connection.kept.begin() + static_cast<std::ptrdiff_t>(bytes);
  std::copy(connection.kept.begin(), end, buffer_.begin());
  connection.kept.erase(connection.kept.begin(), end);
  connection.cell->kept_bytes -= bytes;
  budget_.give_back(bytes);
  take_bytes(connection, bytes);
  return true;
}

void io_thread::read_those_that_left(bound_cell& cell) {
  while (cell.read_to_their_end > 0 && cell.chunks.may_read()) {
    read_kept(**std::find_if(cell.connections.begin(), cell.connections.end(),
                             [](const auto& connection) { return connection->read_to_its_end; }));
  }
}

void io_thread::forget_kept(guest_connection& connection) {
  connection.cell->kept_bytes -= connection.kept.size();
  budget_.give_back(connection.kept.size());
  connection.kept.clear();
}

}  // namespace cellos
