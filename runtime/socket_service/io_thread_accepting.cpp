// Accepting: never waits for credit, and keeps within what descriptors there are. Each cell has an equal share of those
// that guests may hold. Shares get smaller as cells are bound; a cell that is over its share by then gives back what
// another needs.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/os/descriptor_plan.hpp"
#include "runtime/socket_service/io_thread.hpp"

namespace cellos {

namespace {

/// Accepted from one cell in one turn; the rest comes next turn. Chosen here.
constexpr int accepts_per_turn = 64;
/// Accepted of a socket that takes no further ones: more than its backlog can hold. Bounds it where they come none the
/// less. Chosen here.
constexpr int most_in_backlog = 4096;
/// Connections of one cell that their peers have left and that wait, with their descriptors, to be read. Chosen here.
constexpr std::size_t most_left_unread = 256;
/// A refused connection is reported at most this often a cell. Chosen here.
constexpr std::chrono::seconds refusal_interval{1};

constexpr const char* over_its_share = "more connections than its share of the descriptors; raise LimitNOFILE";

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::size_t open_connections(const bound_cell& cell) {
  return cell.connections.size() - cell.reading.read_to_their_end();
}

}  // namespace

std::shared_ptr<void> io_thread::claim_for_cell() {
  std::size_t bound = *cells_bound_;
  do {
    if (bound >= guest_descriptors_ / 2) return nullptr;
  } while (!cells_bound_->compare_exchange_weak(bound, bound + 1));
  return {cells_bound_.get(), [counted = cells_bound_](void*) { --*counted; }};
}

std::size_t io_thread::share() const { return connection_share(guest_descriptors_, *cells_bound_); }

std::size_t io_thread::connections_allowed() const {
  return guest_descriptors_ - std::min<std::size_t>(guest_descriptors_, *cells_bound_);
}

void io_thread::accept_from(bound_cell& cell) {
  if (cell.released || !cell.socket) return;
  for (int i = 0; i < accepts_per_turn; ++i) {
    file_descriptor accepted{calls_.accept4(cell.socket.fd())};
    if (accepted) {
      take_connection(cell, std::move(accepted));
    } else if (is_out_of_descriptors(errno)) {
      return shed_one_connection(cell);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

/// Of a socket that takes no further ones.
void io_thread::accept_all(bound_cell& cell) {
  for (int i = 0; i < most_in_backlog; ++i) {
    file_descriptor waiting{calls_.accept4(cell.socket.fd())};
    if (waiting) {
      take_connection(cell, std::move(waiting));
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

/// Whoever is in the backlog of a socket whose file was lost had found it before.
void io_thread::take_over_rebound(bound_cell& cell) {
  if (!cell.rebound_waits.exchange(false)) return;
  const std::lock_guard lock{cell.file_mutex};
  for (unix_listener& next : cell.rebound) {
    take_nothing_more(cell.socket.fd());
    accept_all(cell);
    disarm(cell.listening, cell.socket.fd());
    cell.socket = std::move(next);
  }
  cell.rebound.clear();
}

void io_thread::take_connection(bound_cell& cell, file_descriptor accepted) {
  if (cell.expected_uid && peer_uid(accepted.get(), calls_) != cell.expected_uid) {
    return refuse_connection(cell, "peer uid is not expected_uid");
  }
  const std::size_t most = std::min<std::size_t>(connections_per_cell_, share());
  if (open_connections(cell) >= most && !make_room(cell)) {
    return refuse_connection(
        cell, share() < connections_per_cell_ ? over_its_share : "more connections than connections_per_cell");
  }
  if (connections_open_ >= connections_allowed() && !make_room_on_host(cell)) {
    return refuse_connection(cell, over_its_share);
  }
  const std::uint64_t number = ++cell.connections_accepted;
  ++cell.connections_open;
  ++connections_open_;
  cell.connections.push_back(std::make_unique<guest_connection>(cell, cell.reading, std::move(accepted), number));
  guest_connection& connection = *cell.connections.back();
  if (observer_ != nullptr) observer_->connected(cell.specification, connection.socket.get());
  if (cell.reading.draining()) return take_nothing_more(connection.socket.get());
  watch_connection(connection, may_read(cell));
}

/// In a storm of reconnects most connections have been left by their peer and only wait to be read: they are read to
/// their end, or, where neither credit nor room to keep them is left, not counted.
bool io_thread::make_room(bound_cell& cell) {
  std::vector<pollfd> peers;
  std::vector<guest_connection*> connections;
  for (const auto& connection : cell.connections) {
    if (!connection->socket) continue;
    peers.push_back({connection->socket.get(), POLLRDHUP, 0});
    connections.push_back(connection.get());
  }
  if (calls_.poll(peers, {}) < 0) return false;
  std::size_t left = 0;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (peers[i].revents == 0) continue;
    ++left;
    while (read_from(*connections[i])) {}
    let_go(*connections[i]);
  }
  const std::size_t staying = peers.size() - left;
  return staying < connections_per_cell_ && open_connections(cell) < std::min(most_left_unread, share());
}

/// A cell within its share takes what another has borrowed.
bool io_thread::make_room_on_host(const bound_cell& taker) {
  if (open_connections(taker) >= share()) return false;
  while (connections_open_ >= connections_allowed()) {
    if (!end_one_over_its_share()) return false;
  }
  return true;
}

/// Each cell that is bound takes a descriptor, and lessens the others' share.
void io_thread::keep_within_share() {
  while (connections_open_ > connections_allowed() && end_one_over_its_share()) {}
}

/// The newest connection of the cell that is furthest over its share. False if none is.
bool io_thread::end_one_over_its_share() {
  bound_cell* furthest = nullptr;
  for (const auto& [cell, kept] : cells_) {
    if (furthest == nullptr || open_connections(*cell) > open_connections(*furthest)) furthest = cell;
  }
  if (furthest == nullptr || open_connections(*furthest) <= share()) return false;
  const auto newest = std::find_if(furthest->connections.rbegin(), furthest->connections.rend(),
                                   [](const auto& connection) { return static_cast<bool>(connection->socket); });
  end_connection(**newest);
  refuse_connection(*furthest, over_its_share);
  return true;
}

void io_thread::refuse_connection(bound_cell& cell, const char* cause) {
  ++cell.connections_refused;
  if (turn_began_ - cell.refusal_reported < refusal_interval) {
    ++cell.refusals_held_back;
    return;
  }
  cell.refusal_reported = turn_began_;
  events_.connection_refused(cell.cell_id, cause, std::exchange(cell.refusals_held_back, 0));
}

/// Without even a reserve to accept with, whoever waits stays in the backlog until the next look: a socket that is
/// watched meanwhile would be reported without pause.
void io_thread::shed_one_connection(bound_cell& cell) {
  reserve_.reset();
  file_descriptor shed{calls_.accept4(cell.socket.fd())};
  if (shed) {
    refuse_connection(cell, "no descriptors left; raise LimitNOFILE");
    shed.reset();  // first: the reserve takes its place
  } else if (is_out_of_descriptors(errno)) {
    disarm(cell.listening, cell.socket.fd());
    accepting_paused_ = true;
  }
  keep_reserve();
}

void io_thread::keep_reserve() {
  if (!reserve_) reserve_ = file_descriptor{calls_.open_null()};
}

}  // namespace cellos
