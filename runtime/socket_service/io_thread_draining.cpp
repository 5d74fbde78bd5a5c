// Draining: a cell that ends takes no more guests, reads what they have written, within its deadline, and closes.

#include <algorithm>
#include <string>

#include "messages/host_stamp.hpp"
#include "runtime/socket_service/io_thread.hpp"

namespace cellos {

/// Whoever is in the backlog has connected: their bytes count. After SHUT_RD a guest can add nothing, so reading ends.
void io_thread::begin_draining(bound_cell& cell) {
  cell.reading.begin_draining(turn_began_ + drain_timeout_);
  draining_.push_back(&cell);
  // Whoever kept another name of the file could connect as fast as we accept, for ever.
  take_nothing_more(cell.socket.fd());
  accept_all(cell);
  disarm(cell.listening, cell.socket.fd());
  cell.socket.close();
  cell.descriptors = nullptr;
  for (auto& connection : cell.connections) {
    if (connection->socket) take_nothing_more(connection->socket.get());
  }
}

bool io_thread::drain_step(bound_cell& cell) {
  bool progress = false;
  for (std::size_t i = cell.connections.size(); i-- > 0;) progress = read_from(*cell.connections[i]) || progress;
  if (cell.reading.drain_overdue(turn_began_)) cut_off(cell);
  if (!cell.connections.empty()) return progress;
  std::erase(draining_, &cell);
  // Its last before it is said that there will be none.
  deliver_kept();
  const std::lock_guard lock{cell.drain_mutex};
  cell.drained = true;
  if (cell.on_drained) cell.on_drained();
  return progress;
}

/// There has been no credit for what these guests wrote, or they write on although nothing more is taken.
void io_thread::cut_off(bound_cell& cell) {
  if (cell.connections.empty()) return;
  host_stamp run;
  run.cell_id = cell.cell_id;
  run.run_id = cell.specification.run_id;
  events_.cell_not_drained(run, "not read to their end in time: " + std::to_string(cell.connections.size()) +
                                    (cell.connections.size() == 1 ? " connection" : " connections"));
  while (!cell.connections.empty()) end_connection(*cell.connections.back());
}

}  // namespace cellos
