#include "runtime/socket_service/socket_service.hpp"

#include <unistd.h>

#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/socket_service/bound_cell.hpp"
#include "runtime/socket_service/io_thread.hpp"
#include "runtime/socket_service/socket_file_watch.hpp"

namespace cellos {

namespace {

/// Of a cell's file that is given away, with our group: without capabilities, only so can whoever replaces us find out
/// that nobody listens there any more. Others of the group are refused by their uid.
constexpr mode_t mode_of_given = 0660;

class bound_intake final : public cell_intake {
 public:
  bound_intake(std::shared_ptr<bound_cell> cell, std::shared_ptr<io_thread> io)
      : io_(std::move(io)), cell_(std::move(cell)) {}

  ~bound_intake() override {
    remove_socket_file(*cell_);
    cell_->released = true;
    io_->notify(cell_);
  }

  void attach(std::uint64_t generation, delivery deliver) override {
    cell_->chunks.attach(generation, std::move(deliver));
    io_->notify(cell_);
  }

  void acknowledge(std::uint64_t sequence) override {
    if (cell_->chunks.acknowledge(sequence)) io_->notify(cell_);
    io_->budget_came_back();
  }

  void drain(std::function<void()> drained) override {
    // At once, so that the path is free for the next run as soon as the caller hears of it.
    remove_socket_file(*cell_);
    {
      const std::lock_guard lock{cell_->drain_mutex};
      cell_->on_drained = std::move(drained);
      if (cell_->drained) return cell_->on_drained();
    }
    cell_->drain_wanted = true;
    io_->notify(cell_);
  }

  chunk_ptr unacknowledged(std::uint64_t sequence) const override { return cell_->chunks.unacknowledged(sequence); }

  intake_counts counts() const override {
    intake_counts seen;
    seen.frames_received = cell_->frames_received;
    seen.bytes_received = cell_->bytes_received;
    seen.connections_accepted = cell_->connections_accepted;
    seen.connections_refused = cell_->connections_refused;
    seen.connections_open = cell_->connections_open;
    seen.chunks_unacknowledged = cell_->chunks.unacknowledged();
    seen.file_in_place = cell_->file_in_place;
    return seen;
  }

  std::optional<bind_refusal> ensure_bound() override {
    bool rebound = false;
    auto refused = cellos::ensure_bound(*cell_, io_->calls(), io_->events(), rebound);
    if (rebound) io_->notify(cell_);
    return refused;
  }

 private:
  // In this order: the cell's chunks give their bytes back to the I/O thread's budget.
  std::shared_ptr<io_thread> io_;
  std::shared_ptr<bound_cell> cell_;
};

}  // namespace

unix_listener::outcome bind_cell_socket(const cell_specification& cell, socket_calls& calls) {
  socket_access access;
  if (cell.expected_uid && *cell.expected_uid != ::geteuid()) {
    access.owner = cell.expected_uid;
    access.group = ::getegid();
    access.mode = mode_of_given;
    access.owner_key = "expected_uid " + std::to_string(*cell.expected_uid);
  }
  access.holder = "cell " + cell.cell_id;
  return unix_listener::bind(cell.socket_path(), access, calls);
}

socket_service::socket_service(const socket_service_options& options, operator_events& events, socket_calls& calls,
                               const service_clocks& clocks, connection_observer* observer)
    : io_(std::make_shared<io_thread>(options, events, calls, clocks, observer)),
      watch_(std::make_unique<socket_file_watch>(options.file_watch_interval, events)) {}

socket_service::~socket_service() = default;

void socket_service::set_limits(const socket_service_options& options) { io_->set_limits(options); }

telemetry_sockets::binding socket_service::bind(const cell_specification& cell) {
  auto descriptors = io_->claim_for_cell();
  if (!descriptors) {
    return {nullptr,
            {telemetry_errc::bind_failed, "bind_failed: " + escaped(cell.socket_path(), 128) +
                                              ": the descriptors are all shared out to cells; raise LimitNOFILE"}};
  }
  unix_listener::outcome bound = bind_cell_socket(cell, io_->calls());
  if (!bound.socket) return {nullptr, std::move(bound.refusal)};
  auto kept = std::make_shared<bound_cell>(std::move(bound.socket), cell, io_->chunks_per_cell(), io_->budget());
  kept->descriptors = std::move(descriptors);
  watch_->add(kept);
  io_->notify(kept);
  return {std::make_shared<bound_intake>(std::move(kept), io_), {telemetry_errc::none, {}}};
}

bool socket_service::answers_within(std::chrono::nanoseconds limit) {
  return io_->next_turn().wait_for(limit) == std::future_status::ready;
}

}  // namespace cellos
