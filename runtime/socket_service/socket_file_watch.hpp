#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "actors/events.hpp"
#include "runtime/socket_service/bound_cell.hpp"

namespace cellos {

/// Looks every now and then whether the cells' socket files are still theirs, on a thread of its own: a file system
/// that hangs holds nobody else up. Says so once for each file that is lost.
class socket_file_watch {
 public:
  socket_file_watch(std::chrono::nanoseconds interval, operator_events& events);
  socket_file_watch(const socket_file_watch&) = delete;
  socket_file_watch& operator=(const socket_file_watch&) = delete;
  ~socket_file_watch();

  /// Until it is released.
  void add(const std::shared_ptr<bound_cell>& cell);

 private:
  void run();
  void look_at_all();

  const std::chrono::nanoseconds interval_;
  operator_events& events_;
  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::vector<std::weak_ptr<bound_cell>> cells_;
  std::thread thread_;
};

/// Binds the cell's path again if its file was lost, for the I/O thread to take over. Nothing if guests find the
/// socket, else why not. True in `rebound` if there is something to take over.
std::optional<bind_refusal> ensure_bound(bound_cell& cell, socket_calls& calls, operator_events& events, bool& rebound);

/// The cell's path is free from then on.
void remove_socket_file(bound_cell& cell);

}  // namespace cellos
