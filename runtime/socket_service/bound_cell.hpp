#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "messages/cell_specification.hpp"
#include "messages/instants.hpp"
#include "runtime/os/unix_listener.hpp"
#include "runtime/socket_service/chunk_ledger.hpp"
#include "runtime/socket_service/connection_reading.hpp"
#include "runtime/socket_service/framer.hpp"

namespace cellos {

struct bound_cell;

/// What epoll hands back: a cell's listening socket or one of its connections.
struct pollable {
  enum class kind : std::uint8_t { listening, connection };
  kind what;
  bound_cell* cell;
  /// What epoll reports of it.
  socket_watch watched = socket_watch::nothing;
};

struct guest_connection : pollable {
  guest_connection(bound_cell& owner, cell_reading& shared, file_descriptor accepted, std::uint64_t number)
      : pollable{kind::connection, &owner}, socket(std::move(accepted)), reading(number, shared) {}

  /// Given back early when all that the peer wrote has been kept.
  file_descriptor socket;
  connection_reading reading;
};

/// One cell as the I/O thread sees it. Members under "I/O thread" are that thread's alone; the rest is thread-safe.
struct bound_cell {
  bound_cell(unix_listener&& bound, const cell_specification& bound_for, std::size_t max_chunks, byte_budget& budget)
      : specification(bound_for),
        cell_id(specification.cell_id),
        expected_uid(specification.expected_uid),
        chunks(max_chunks, budget),
        socket(std::move(bound)),
        reading(budget) {}

  const cell_specification specification;
  const std::string& cell_id;
  const std::optional<std::uint32_t> expected_uid;
  chunk_ledger chunks;

  std::atomic<std::uint64_t> frames_received{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint32_t> connections_open{0};

  std::atomic<bool> released{false};
  std::atomic<bool> drain_wanted{false};
  /// Guards the two below.
  std::mutex drain_mutex;
  std::function<void()> on_drained;
  bool drained = false;

  /// Guards the file of `socket`, `rebound` and `file_removed`.
  std::mutex file_mutex;
  /// Bound in the place of `socket`, whose file was lost; the I/O thread takes them over in turn.
  std::vector<unix_listener> rebound;
  std::atomic<bool> rebound_waits{false};
  /// The file was removed on purpose, and is not to come back.
  bool file_removed = false;
  std::atomic<bool> file_in_place{true};

  // I/O thread.
  unix_listener socket;
  /// What the cell has claimed of guests' descriptors, while it listens.
  std::shared_ptr<void> descriptors;
  pollable listening{pollable::kind::listening, this};
  std::vector<std::unique_ptr<guest_connection>> connections;
  cell_reading reading;
  monotonic_time refusal_reported{};
  /// Refusals since then.
  std::uint64_t refusals_held_back = 0;
};

/// Binds the cell's socket; with an expected uid of another user, its file is that user's.
unix_listener::outcome bind_cell_socket(const cell_specification& cell, socket_calls& calls);

}  // namespace cellos
