#include "runtime/socket_service/socket_file_watch.hpp"

#include <utility>

namespace cellos {

namespace {

unix_listener& newest_socket(bound_cell& cell) { return cell.rebound.empty() ? cell.socket : cell.rebound.back(); }

void note(bound_cell& cell, socket_file seen, operator_events& events, std::string_view how) {
  if (seen == socket_file::unknown) return;
  const bool in_place = seen == socket_file::in_place;
  if (cell.file_in_place.exchange(in_place) == in_place) return;
  const std::string path = cell.specification.socket_path();
  if (in_place) return events.socket_restored(cell.cell_id, path, how);
  events.socket_lost(cell.cell_id, path,
                     seen == socket_file::gone ? "its file is gone" : "another file is in its place");
}

void look_at(bound_cell& cell, operator_events& events) {
  const std::lock_guard lock{cell.file_mutex};
  if (!cell.file_removed) note(cell, newest_socket(cell).look(), events, "its file came back");
}

}  // namespace

std::optional<bind_refusal> ensure_bound(bound_cell& cell, socket_calls& calls, operator_events& events,
                                         bool& rebound) {
  const std::lock_guard lock{cell.file_mutex};
  rebound = false;
  if (cell.file_removed) return std::nullopt;
  unix_listener& lost = newest_socket(cell);
  const socket_file seen = lost.look();
  note(cell, seen, events, "its file came back");
  if (seen == socket_file::in_place) return std::nullopt;
  unix_listener::outcome bound = bind_cell_socket(cell.specification, calls);
  if (!bound.socket) return std::move(bound.refusal);
  lost.forget_file();
  cell.rebound.push_back(std::move(bound.socket));
  cell.rebound_waits = true;
  note(cell, socket_file::in_place, events, "bound again");
  rebound = true;
  return std::nullopt;
}

void remove_socket_file(bound_cell& cell) {
  const std::lock_guard lock{cell.file_mutex};
  cell.file_removed = true;
  cell.socket.remove_file();
  for (unix_listener& next : cell.rebound) next.remove_file();
}

socket_file_watch::socket_file_watch(std::chrono::nanoseconds interval, operator_events& events)
    : interval_(interval), events_(events), thread_{[this] { run(); }} {}

socket_file_watch::~socket_file_watch() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  stop_wanted_.notify_all();
  thread_.join();
}

void socket_file_watch::add(const std::shared_ptr<bound_cell>& cell) {
  const std::lock_guard lock{mutex_};
  cells_.push_back(cell);
}

void socket_file_watch::run() {
  std::unique_lock lock{mutex_};
  while (!stop_wanted_.wait_for(lock, interval_, [this] { return stopping_; })) {
    lock.unlock();
    look_at_all();
    lock.lock();
  }
}

void socket_file_watch::look_at_all() {
  std::vector<std::weak_ptr<bound_cell>> cells;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(cells_, [](const auto& cell) { return cell.expired(); });
    cells = cells_;
  }
  for (const auto& known : cells) {
    if (const auto cell = known.lock()) look_at(*cell, events_);
  }
}

}  // namespace cellos
