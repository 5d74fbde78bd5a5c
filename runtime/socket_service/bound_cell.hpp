#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/os/unix_listener.hpp"
#include "runtime/socket_service/chunk_ledger.hpp"
#include "runtime/socket_service/framer.hpp"

namespace cellos {

struct bound_cell;

/// What epoll hands back: a cell's listening socket or one of its connections.
struct pollable {
  enum class kind : std::uint8_t { listening, connection };
  /// What epoll reports of it.
  enum class watch : std::uint8_t {
    nothing,
    /// Once, that the peer has left. What it has written waits for credit.
    leaving,
    input,
  };
  kind what;
  bound_cell* cell;
  watch watched = watch::nothing;
};

struct guest_connection : pollable {
  guest_connection(bound_cell* owner, file_descriptor accepted, std::uint64_t number)
      : pollable{kind::connection, owner}, socket(std::move(accepted)), id(number) {}

  file_descriptor socket;
  std::uint64_t id;
  framer frames;
  monotonic_time frame_began{};
  /// Whether any byte came: a connection that said nothing leaves no trace in the chunks.
  bool spoke = false;
  bool closed = false;
  /// Read before there was credit, because the peer had left: comes before whatever `socket` still has.
  std::vector<std::uint8_t> kept;
  /// All that its peer wrote is in `kept`, and its descriptor is given back.
  bool read_to_its_end = false;
};

/// One cell as the I/O thread sees it. Members under "I/O thread" are that thread's alone; the rest is thread-safe.
struct bound_cell {
  bound_cell(unix_listener&& bound, const cell_specification& bound_for, std::size_t max_chunks, byte_budget& budget)
      : specification(bound_for),
        cell_id(specification.cell_id),
        expected_uid(specification.expected_uid),
        chunks(max_chunks, budget),
        socket(std::move(bound)) {}

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
  /// Those of `connections` that hold no descriptor any more.
  std::size_t read_to_their_end = 0;
  /// Bytes in their and other connections' `kept`.
  std::size_t kept_bytes = 0;
  bool draining = false;
  monotonic_time refusal_reported{};
  /// Refusals since then.
  std::uint64_t refusals_held_back = 0;
};

/// Binds the cell's socket; with an expected uid of another user, its file is that user's.
unix_listener::outcome bind_cell_socket(const cell_specification& cell, socket_calls& calls);

}  // namespace cellos
