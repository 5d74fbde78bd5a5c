#include "runtime/socket_service/io_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace cellos {

namespace {

/// Below this many bytes a read, waiting for more reads to share the wake-up pays. Chosen here.
constexpr std::size_t small_read_bytes = 4096;
/// With so many small reads in a turn, the host is busy with many cells that send little each: the pause is so many
/// times as long. Both chosen here.
constexpr std::size_t many_reads = 12;
constexpr int busy_pauses = 3;
/// How often connections are looked at for frames that never become whole. Chosen here.
constexpr std::chrono::milliseconds torn_frame_scan{500};

file_descriptor checked(int fd, const char* call) {
  if (fd < 0) throw std::system_error{errno, std::system_category(), call};
  return file_descriptor{fd};
}

}  // namespace

io_thread::io_thread(const socket_service_options& options, operator_events& events, socket_calls& calls,
                     const service_clocks& clocks, connection_observer* observer)
    : coalescing_(options.coalescing),
      chunks_per_cell_(options.chunks_per_cell),
      connections_per_cell_(options.connections_per_cell),
      half_frame_timeout_(options.half_frame_timeout),
      read_bytes_(options.read_bytes),
      drain_timeout_(options.drain_timeout),
      guest_descriptors_(options.guest_descriptors),
      events_(events),
      calls_(calls),
      clocks_(clocks),
      observer_(observer),
      budget_(options.byte_budget),
      epoll_(checked(calls.epoll_create(), "epoll_create1")),
      wake_(checked(calls.eventfd(), "eventfd")),
      reserve_(calls.open_null()) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = nullptr;
  if (calls_.epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &interest) != 0) {
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
  // Fails when the counter is full, and then the thread is awake anyway; else it comes round for the next scan.
  (void)calls_.write(wake_.get(), &one, sizeof one);
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
  const monotonic_time wait_began = clocks_.monotonic.now();
  const int count = calls_.epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), wait_limit());
  turn_began_ = clocks_.monotonic.now();
  waited_ = turn_began_ - wait_began;
  bytes_this_turn_ = 0;
  more_is_there_ = false;
  reads_this_turn_ = 0;
  const auto reported = std::span{ready}.first(static_cast<std::size_t>(std::max(count, 0)));
  if (std::ranges::any_of(reported, [](const epoll_event& each) { return each.data.ptr == nullptr; })) take_wake_ups();
  take_notifications();
  const auto each = [&](pollable::kind kind, auto visit) {
    for (const epoll_event& event : reported) {
      auto* what = static_cast<pollable*>(event.data.ptr);
      if (what != nullptr && what->what == kind) visit(*what);
    }
  };
  // Reads first: a connection that ended makes room for the one that replaces it.
  each(pollable::kind::connection, [&](pollable& what) {
    auto& connection = static_cast<guest_connection&>(what);
    if (what.watched == socket_watch::leaving) {
      let_go(connection);
    } else {
      read_from(connection);
    }
  });
  // Before whoever storms the listening sockets is dealt with.
  deliver_kept();
  each(pollable::kind::listening, [&](pollable& what) { accept_from(*what.cell); });
  bool more = false;
  const std::vector<bound_cell*> draining = draining_;
  for (bound_cell* cell : draining) more = drain_step(*cell) || more;
  look_after_connections();
  deliver_kept();
  closed_.clear();
  released_.clear();
  return more;
}

int io_thread::wait_limit() const {
  if (!draining_.empty()) return 0 < reads_this_turn_ ? 0 : 10;
  return static_cast<int>(std::chrono::milliseconds{torn_frame_scan}.count());
}

/// When reads are small, a short pause lets several share the next wake-up; commands end the pause. Whoever had to be
/// waited for is not followed by others so soon, and whoever has written more than a read takes waits for nobody.
void io_thread::coalesce() const {
  if (waited_ > coalescing_ || more_is_there_) return;
  const std::size_t small = std::min(small_read_bytes, read_bytes_ / 2);
  if (reads_this_turn_ == 0 || bytes_this_turn_ > reads_this_turn_ * small) return;
  pollfd wake{wake_.get(), POLLIN, 0};
  const bool many = reads_this_turn_ >= many_reads;
  const timespec pause{0, static_cast<long>((many ? coalescing_ * busy_pauses : coalescing_).count())};
  (void)calls_.poll({&wake, 1}, pause);
}

void io_thread::take_wake_ups() {
  std::uint64_t ignored = 0;
  (void)calls_.read(wake_.get(), &ignored, sizeof ignored);
}

void io_thread::take_notifications() {
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
  if (cell.drain_wanted && !cell.reading.draining()) return begin_draining(cell);
  resume_reading(cell);
}

/// Never releases: called while the cells are walked over.
void io_thread::resume_reading(bound_cell& cell) {
  if (cell.reading.draining() || !cell.socket) return;
  if (!accepting_paused_) arm(cell.listening, cell.socket.fd());
  const bool credit = may_read(cell);
  for (auto& connection : cell.connections) watch_connection(*connection, credit);
  if (credit) read_those_that_left(cell);
}

void io_thread::release(bound_cell& cell) {
  const auto known = cells_.find(&cell);
  if (known == cells_.end()) return;
  disarm(cell.listening, cell.socket.fd());
  cell.socket.close();
  cell.descriptors = nullptr;
  connections_open_ -= cell.connections_open;
  for (auto& connection : cell.connections) {
    connection->reading.abandon();
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

void io_thread::watch_for(pollable& what, int fd, socket_watch wanted) {
  if (what.watched == wanted) return;
  epoll_event interest{};
  // Once: a peer that has left would be reported for as long as what it wrote is unread.
  interest.events = wanted == socket_watch::leaving ? EPOLLRDHUP | EPOLLET : EPOLLIN;
  interest.data.ptr = &what;
  // Removed rather than masked: a masked descriptor still reports hang-up, for ever.
  int operation = what.watched == socket_watch::nothing ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (wanted == socket_watch::nothing) operation = EPOLL_CTL_DEL;
  const bool changed = calls_.epoll_ctl(epoll_.get(), operation, fd, &interest) == 0;
  if (changed || wanted == socket_watch::nothing) {
    what.watched = wanted;
    return;
  }
  disarm(what, fd);
  arming_wanted_ = true;
}

void io_thread::look_after_connections() {
  if (turn_began_ - torn_frames_looked_for_ < torn_frame_scan) return;
  torn_frames_looked_for_ = turn_began_;
  keep_reserve();
  if (std::exchange(accepting_paused_, false)) arming_wanted_ = true;
  if (std::exchange(arming_wanted_, false)) {
    for (auto& [key, cell] : cells_) resume_reading(*cell);
  }
  for (auto& [key, cell] : cells_) end_overdue_frames(*cell);
}

void io_thread::end_overdue_frames(bound_cell& cell) {
  const auto overdue = [&](const guest_connection& connection) {
    // An unwatched connection waits for us, not we for it.
    return connection.watched == socket_watch::input &&
           connection.reading.overdue(turn_began_, half_frame_timeout_.load());
  };
  for (std::size_t i = cell.connections.size(); i-- > 0;) {
    guest_connection& connection = *cell.connections[i];
    // What waits to be read may complete the frame: a guest that was held back, or a daemon that was stopped.
    if (!overdue(connection) || read_from(connection)) continue;
    if (overdue(connection)) end_connection(connection);
  }
}

}  // namespace cellos
