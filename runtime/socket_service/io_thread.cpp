#include "runtime/socket_service/io_thread.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "runtime/os/clocks.hpp"

namespace cellos {

namespace {

/// Below this many bytes a read, waiting for more reads to share the wake-up pays. Chosen here.
constexpr std::size_t small_read_bytes = 4096;
/// How often connections are looked at for frames that never become whole. Chosen here.
constexpr std::chrono::milliseconds torn_frame_scan{500};

file_descriptor checked(int fd, const char* call) {
  if (fd < 0) throw std::system_error{errno, std::system_category(), call};
  return file_descriptor{fd};
}

bool is_transient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

bool is_shortage(int error) { return error == ENOBUFS || error == ENOMEM; }

}  // namespace

io_thread::io_thread(const socket_service_options& options, operator_events& events, socket_calls& calls)
    : coalescing_(options.coalescing),
      chunks_per_cell_(options.chunks_per_cell),
      connections_per_cell_(options.connections_per_cell),
      half_frame_timeout_(options.half_frame_timeout),
      read_bytes_(options.read_bytes),
      guest_descriptors_(options.guest_descriptors),
      events_(events),
      calls_(calls),
      budget_(options.byte_budget),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = nullptr;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &interest) != 0) {
    throw std::system_error{errno, std::system_category(), "epoll_ctl"};
  }
  thread_ = std::thread{[this] { run(); }};
}

io_thread::~io_thread() {
  stopping_ = true;
  wake();
  thread_.join();
}

void io_thread::set_limits(const socket_service_options& options) {
  chunks_per_cell_ = options.chunks_per_cell;
  connections_per_cell_ = options.connections_per_cell;
  half_frame_timeout_ = options.half_frame_timeout;
  read_bytes_ = options.read_bytes;
  budget_.set_limit(options.byte_budget);
  budget_came_back();
}

void io_thread::notify(std::shared_ptr<bound_cell> cell) {
  {
    const std::lock_guard lock{notified_mutex_};
    notified_.push_back(std::move(cell));
  }
  wake();
}

void io_thread::budget_came_back() {
  if (budget_wanted_ && !budget_.exhausted()) wake();
}

std::future<void> io_thread::next_turn() {
  std::future<void> turn;
  {
    const std::lock_guard lock{notified_mutex_};
    turn = callers_.emplace_back().get_future();
  }
  wake();
  return turn;
}

void io_thread::wake() {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake anyway.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void io_thread::run() {
  bool more = false;
  while (!stopping_) {
    more = take_turn();
    if (!more) coalesce();
  }
  while (!cells_.empty()) release(*cells_.begin()->second);
}

/// One wait and everything it brought. True if a draining cell wants to go on at once.
bool io_thread::take_turn() {
  std::array<epoll_event, events_per_turn> ready;
  const int count = calls_.epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), wait_timeout());
  turn_began_ = clock::now();
  bytes_this_turn_ = 0;
  reads_this_turn_ = 0;
  take_notifications();
  const auto each = [&](pollable::kind kind, auto visit) {
    for (int i = 0; i < count; ++i) {
      auto* what = static_cast<pollable*>(ready[static_cast<std::size_t>(i)].data.ptr);
      if (what != nullptr && what->what == kind) visit(*what);
    }
  };
  // Reads first: a connection that ended makes room for the one that replaces it.
  each(pollable::kind::connection, [&](pollable& what) {
    auto& connection = static_cast<guest_connection&>(what);
    what.watched == pollable::watch::leaving ? let_go(connection) : read_from(connection);
  });
  each(pollable::kind::listening, [&](pollable& what) { accept_from(*what.cell); });
  bool more = false;
  const std::vector<bound_cell*> draining = draining_;
  for (bound_cell* cell : draining) more = drain_step(*cell) || more;
  look_after_connections();
  closed_.clear();
  released_.clear();
  return more;
}

int io_thread::wait_timeout() const {
  if (!draining_.empty()) return 0 < reads_this_turn_ ? 0 : 10;
  return static_cast<int>(std::chrono::milliseconds{torn_frame_scan}.count());
}

/// When reads are small, a short pause lets several share the next wake-up; commands end the pause.
void io_thread::coalesce() const {
  const std::size_t small = std::min(small_read_bytes, read_bytes_ / 2);
  if (reads_this_turn_ == 0 || bytes_this_turn_ > reads_this_turn_ * small) return;
  pollfd wake{wake_.get(), POLLIN, 0};
  const timespec pause{0, static_cast<long>(coalescing_.count())};
  ::ppoll(&wake, 1, &pause, nullptr);
}

void io_thread::take_notifications() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &ignored, sizeof ignored);
  std::vector<std::shared_ptr<bound_cell>> cells;
  std::vector<std::promise<void>> callers;
  {
    const std::lock_guard lock{notified_mutex_};
    cells.swap(notified_);
    callers.swap(callers_);
  }
  for (auto& caller : callers) caller.set_value();
  for (auto& cell : cells) {
    if (!cell->released) cells_.try_emplace(cell.get(), cell);
    reconsider(*cell);
  }
  keep_within_share();
  if (budget_wanted_.exchange(false)) {
    for (auto& [key, cell] : cells_) resume_reading(*cell);
  }
}

void io_thread::reconsider(bound_cell& cell) {
  if (cell.released) return release(cell);
  take_over_rebound(cell);
  if (cell.drain_wanted && !cell.draining) return begin_draining(cell);
  resume_reading(cell);
}

/// Never releases: called while the cells are walked over.
void io_thread::resume_reading(bound_cell& cell) {
  if (cell.draining || !cell.socket) return;
  if (!accepting_paused_) arm(cell.listening, cell.socket.fd());
  const bool credit = cell.chunks.may_read();
  for (auto& connection : cell.connections) {
    if (connection->read_to_its_end) continue;
    credit ? arm(*connection, connection->socket.get()) : hold_back(*connection);
  }
  if (credit) read_those_that_left(cell);
  if (!credit && budget_.exhausted()) budget_wanted_ = true;
}

void io_thread::release(bound_cell& cell) {
  const auto known = cells_.find(&cell);
  if (known == cells_.end()) return;
  disarm(cell.listening, cell.socket.fd());
  cell.socket.close();
  cell.descriptors = nullptr;
  connections_open_ -= cell.connections_open;
  for (auto& connection : cell.connections) {
    connection->closed = true;
    forget_kept(*connection);
    disarm(*connection, connection->socket.get());
    connection->socket.reset();
    closed_.push_back(std::move(connection));
  }
  cell.connections.clear();
  cell.connections_open = 0;
  std::erase(draining_, &cell);
  released_.push_back(std::move(known->second));  // events of this turn may still point to it
  cells_.erase(known);
}

void io_thread::watch_for(pollable& what, int fd, pollable::watch wanted) {
  if (what.watched == wanted) return;
  epoll_event interest{};
  // Once: a peer that has left would be reported for as long as what it wrote is unread.
  interest.events = wanted == pollable::watch::leaving ? EPOLLRDHUP | EPOLLET : EPOLLIN;
  interest.data.ptr = &what;
  const int operation = what.watched == pollable::watch::nothing ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (calls_.epoll_ctl(epoll_.get(), operation, fd, &interest) == 0) {
    what.watched = wanted;
    return;
  }
  disarm(what, fd);
  arming_wanted_ = true;
}

/// Removed rather than masked: a masked descriptor still reports hang-up, for ever.
void io_thread::disarm(pollable& what, int fd) {
  if (std::exchange(what.watched, pollable::watch::nothing) == pollable::watch::nothing) return;
  calls_.epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

bool io_thread::read_from(guest_connection& connection) {
  if (connection.closed) return false;
  bound_cell& cell = *connection.cell;
  if (!cell.chunks.may_read()) {
    hold_back(connection);
    if (budget_.exhausted()) budget_wanted_ = true;
    // Credit that came back meanwhile has notified the thread of the cell, or does so next.
    if (cell.chunks.may_read() && !cell.draining && !connection.read_to_its_end) {
      arm(connection, connection.socket.get());
    }
    return false;
  }
  if (connection.read_to_its_end || !connection.kept.empty()) return read_kept(connection);
  const std::size_t most = std::min(buffer_.size(), read_bytes_.load());
  const ssize_t got = calls_.recv(connection.socket.get(), buffer_.data(), most);
  if (got > 0) {
    take_bytes(connection, static_cast<std::size_t>(got));
    return true;
  }
  if (got < 0 && is_transient(errno)) return false;
  if (got < 0 && is_shortage(errno)) {
    // The bytes are still the kernel's; unwatched until the next scan, or it would report them without pause.
    disarm(connection, connection.socket.get());
    arming_wanted_ = true;
    return false;
  }
  end_connection(connection, connection.frames.inside_frame() ? chunk_ending::torn : chunk_ending::closed);
  return true;
}

void io_thread::take_bytes(guest_connection& connection, std::size_t bytes) {
  bytes_this_turn_ += bytes;
  ++reads_this_turn_;
  connection.cell->bytes_received += bytes;
  connection.spoke = true;
  const bool was_inside = connection.frames.inside_frame();
  framer::cut cut = connection.frames.push(std::span{buffer_}.first(bytes));
  if (cut.lost) {
    emit(connection, std::move(cut), chunk_ending::framing_lost);
    return end_connection(connection, chunk_ending::none);
  }
  if (!was_inside || cut.frames > 0) connection.frame_began = turn_began_;
  if (cut.frames > 0) emit(connection, std::move(cut), chunk_ending::none);
}

void io_thread::give_back_descriptor(guest_connection& connection) {
  disarm(connection, connection.socket.get());
  connection.socket.reset();
  --connection.cell->connections_open;
  --connections_open_;
}

/// `ending` none: the connection's last chunk has been emitted already.
void io_thread::end_connection(guest_connection& connection, chunk_ending ending) {
  bound_cell& cell = *connection.cell;
  if (ending != chunk_ending::none && connection.spoke) emit(connection, {}, ending);
  forget_kept(connection);
  if (std::exchange(connection.read_to_its_end, false)) {
    --cell.read_to_their_end;
  } else {
    give_back_descriptor(connection);
  }
  connection.closed = true;
  const auto mine = std::find_if(cell.connections.begin(), cell.connections.end(),
                                 [&](const auto& other) { return other.get() == &connection; });
  closed_.push_back(std::move(*mine));  // events of this turn may still point to it
  cell.connections.erase(mine);
}

void io_thread::emit(guest_connection& connection, framer::cut&& cut, chunk_ending ending) {
  bound_cell& cell = *connection.cell;
  received_chunk chunk;
  chunk.connection = connection.id;
  chunk.received_at = system_wall_time();
  chunk.received_mono = clock::now();
  const bool refuses_one = ending == chunk_ending::torn || ending == chunk_ending::framing_lost;
  chunk.frames = cut.frames + (refuses_one ? 1 : 0);
  chunk.ending = ending;
  chunk.bytes = std::move(cut.bytes);
  cell.frames_received += chunk.frames;
  cell.chunks.emit(std::move(chunk));
}

void io_thread::look_after_connections() {
  if (turn_began_ - torn_frames_looked_for_ < torn_frame_scan) return;
  torn_frames_looked_for_ = turn_began_;
  keep_reserve();
  if (std::exchange(accepting_paused_, false)) arming_wanted_ = true;
  if (std::exchange(arming_wanted_, false)) {
    for (auto& [key, cell] : cells_) resume_reading(*cell);
  }
  const auto overdue = [&](const guest_connection& connection) {
    // An unarmed connection waits for us, not we for it.
    return connection.watched == pollable::watch::input && connection.frames.inside_frame() &&
           turn_began_ - connection.frame_began > half_frame_timeout_.load();
  };
  for (auto& [key, cell] : cells_) {
    for (std::size_t i = cell->connections.size(); i-- > 0;) {
      guest_connection& connection = *cell->connections[i];
      // What waits to be read may complete the frame: a guest that was held back, or a daemon that was stopped.
      if (!overdue(connection) || read_from(connection)) continue;
      if (overdue(connection)) end_connection(connection, chunk_ending::torn);
    }
  }
}

/// Whoever is in the backlog has connected: their bytes count. After SHUT_RD a guest can add nothing, so reading ends.
void io_thread::begin_draining(bound_cell& cell) {
  cell.draining = true;
  draining_.push_back(&cell);
  // Whoever kept another name of the file could connect as fast as we accept, for ever.
  ::shutdown(cell.socket.fd(), SHUT_RD);
  accept_all(cell);
  disarm(cell.listening, cell.socket.fd());
  cell.socket.close();
  cell.descriptors = nullptr;
  for (auto& connection : cell.connections) {
    if (!connection->read_to_its_end) ::shutdown(connection->socket.get(), SHUT_RD);
  }
}

bool io_thread::drain_step(bound_cell& cell) {
  bool progress = false;
  for (std::size_t i = cell.connections.size(); i-- > 0;) progress = read_from(*cell.connections[i]) || progress;
  if (!cell.connections.empty()) return progress;
  std::erase(draining_, &cell);
  const std::lock_guard lock{cell.drain_mutex};
  cell.drained = true;
  if (cell.on_drained) cell.on_drained();
  return progress;
}

}  // namespace cellos
