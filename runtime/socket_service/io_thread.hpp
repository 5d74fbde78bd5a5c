#pragma once

#include <array>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/socket_service/bound_cell.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos {

/// The one thread that waits on, accepts from and reads every telemetry socket. What is to be read, and what comes of
/// it, `connection_reading` decides; this carries it out.
///
/// Each turn: cells that other threads notified it of, then reads, then accepts, then draining cells. One read a ready
/// connection and turn, so that no connection keeps the others waiting for longer than a read each.
class io_thread {
 public:
  /// Throws a system_error where there is no descriptor or thread to be had.
  io_thread(const socket_service_options& options, operator_events& events, socket_calls& calls,
            const service_clocks& clocks, connection_observer* observer);
  ~io_thread();

  std::size_t chunks_per_cell() const { return chunks_per_cell_; }
  /// Takes over what can change while cells are served: `chunks_per_cell` counts for cells bound from then on. Any
  /// thread.
  void set_limits(const socket_service_options& options);
  byte_budget& budget() { return budget_; }
  socket_calls& calls() { return calls_; }
  operator_events& events() { return events_; }

  /// A descriptor to listen on and one for a guest, of those that guests have, for as long as this lives. Null if there
  /// are none left. Any thread.
  std::shared_ptr<void> claim_for_cell();

  /// Adds a cell, or has the I/O thread look again at one whose credit, draining or release changed. Any thread.
  void notify(std::shared_ptr<bound_cell> cell);
  /// Notifies the thread that budget came back, if anybody waits for it. Any thread.
  void budget_came_back();
  /// Ready once the thread has come round. Any thread.
  std::future<void> next_turn();

 private:
  static constexpr std::size_t events_per_turn = 256;

  void run();
  void wake();
  bool take_turn();
  int wait_limit() const;
  void coalesce() const;

  void take_wake_ups();
  void take_notifications();
  void reconsider(bound_cell& cell);
  void resume_reading(bound_cell& cell);
  void release(bound_cell& cell);

  void watch_for(pollable& what, int fd, socket_watch wanted);
  void arm(pollable& what, int fd) { watch_for(what, fd, socket_watch::input); }
  void disarm(pollable& what, int fd) { watch_for(what, fd, socket_watch::nothing); }

  // io_thread_accepting.cpp
  void accept_from(bound_cell& cell);
  void accept_all(bound_cell& cell);
  void take_connection(bound_cell& cell, file_descriptor accepted);
  void take_over_rebound(bound_cell& cell);
  bool make_room(bound_cell& cell);
  bool make_room_on_host(const bound_cell& taker);
  void keep_within_share();
  bool end_one_over_its_share();
  void refuse_connection(bound_cell& cell, const char* cause);
  void shed_one_connection(bound_cell& cell);
  void keep_reserve();
  std::size_t share() const;
  std::size_t connections_allowed() const;

  // io_thread_reading.cpp
  /// False when there was nothing to read, or no credit to read with.
  bool read_from(guest_connection& connection);
  /// Its peer has left.
  void let_go(guest_connection& connection);
  /// True if there may be more to do.
  bool carry_out(guest_connection& connection, reading_step step);
  bool receive(guest_connection& connection);
  bool take_kept(guest_connection& connection);
  bool keep(guest_connection& connection);
  void count_read(bound_cell& cell, std::size_t bytes);
  /// Always false.
  bool look_again_soon(guest_connection& connection);
  bool may_read(bound_cell& cell);
  void watch_connection(guest_connection& connection, bool credit);
  void read_those_that_left(bound_cell& cell);
  void give_back_descriptor(guest_connection& connection);
  /// Whatever is unread stays unread.
  void end_connection(guest_connection& connection);
  void deliver(guest_connection& connection, std::optional<received_chunk> chunk);
  void deliver_kept();
  read_time now() const { return {clocks_.wall.now(), clocks_.monotonic.now()}; }

  /// What is looked after a few times a second: descriptors nobody watches, frames that never become whole.
  void look_after_connections();

  /// Of frames that never become whole.
  void end_overdue_frames(bound_cell& cell);

  // io_thread_draining.cpp
  void begin_draining(bound_cell& cell);
  /// True if the cell made progress and wants another step without waiting.
  bool drain_step(bound_cell& cell);
  void cut_off(bound_cell& cell);
  /// Whether no further bytes or guests can come; draining has a deadline for when they can.
  void take_nothing_more(int fd) { (void)calls_.shutdown(fd, SHUT_RD); }

  const std::chrono::nanoseconds coalescing_;
  std::atomic<std::size_t> chunks_per_cell_;
  std::atomic<std::size_t> connections_per_cell_;
  std::atomic<std::chrono::nanoseconds> half_frame_timeout_;
  std::atomic<std::size_t> read_bytes_;
  const std::chrono::nanoseconds drain_timeout_;
  const std::size_t guest_descriptors_;
  const std::shared_ptr<std::atomic<std::size_t>> cells_bound_ = std::make_shared<std::atomic<std::size_t>>(0);
  operator_events& events_;
  socket_calls& calls_;
  const service_clocks clocks_;
  /// May be null.
  connection_observer* const observer_;
  byte_budget budget_;
  file_descriptor epoll_;
  file_descriptor wake_;
  /// Given up to accept and close one connection when descriptors run out: a full backlog would stall the microVM.
  file_descriptor reserve_;

  std::mutex notified_mutex_;
  std::vector<std::shared_ptr<bound_cell>> notified_;
  std::vector<std::promise<void>> callers_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> budget_wanted_{false};

  // The thread's own.
  std::unordered_map<bound_cell*, std::shared_ptr<bound_cell>> cells_;
  std::vector<std::shared_ptr<bound_cell>> released_;
  std::vector<std::unique_ptr<guest_connection>> closed_;
  std::vector<bound_cell*> draining_;
  /// Cells whose chunks of this turn wait for deliver_kept(), some more than once.
  std::vector<bound_cell*> with_chunks_;
  std::size_t bytes_kept_ = 0;
  std::array<std::uint8_t, socket_service_options::most_read_bytes> buffer_{};
  /// How long this turn's first event was waited for.
  std::chrono::nanoseconds waited_{0};
  std::size_t bytes_this_turn_ = 0;
  /// A read of this turn was filled.
  bool more_is_there_ = false;
  std::size_t reads_this_turn_ = 0;
  /// Descriptors of all cells' connections.
  std::size_t connections_open_ = 0;
  /// Not even the reserve was left to accept with; tried again soon.
  bool accepting_paused_ = false;
  /// The kernel lacked memory to watch a descriptor or to hand over its bytes; tried again soon.
  bool arming_wanted_ = false;
  monotonic_time turn_began_{};
  monotonic_time torn_frames_looked_for_{};
  std::thread thread_;
};

}  // namespace cellos
