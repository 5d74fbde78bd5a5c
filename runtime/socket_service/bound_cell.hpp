#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/socket_service/chunk_ledger.hpp"
#include "runtime/socket_service/framer.hpp"
#include "runtime/socket_service/telemetry_socket.hpp"

namespace cellos {

struct bound_cell;

/// What epoll hands back: a cell's listening socket or one of its connections.
struct pollable {
  enum class kind : std::uint8_t { listening, connection };
  kind what;
  bound_cell* cell;
  /// Registered with epoll.
  bool armed = false;
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
};

/// One cell as the I/O thread sees it. Members under "I/O thread" are that thread's alone; the rest is thread-safe.
struct bound_cell {
  bound_cell(telemetry_socket&& bound, const cell_specification& specification, std::size_t max_chunks,
             byte_budget& budget)
      : cell_id(specification.cell_id),
        expected_uid(specification.expected_uid),
        chunks(max_chunks, budget),
        socket(std::move(bound)) {}

  const std::string cell_id;
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

  // I/O thread.
  telemetry_socket socket;
  pollable listening{pollable::kind::listening, this};
  std::vector<std::unique_ptr<guest_connection>> connections;
  bool draining = false;
  monotonic_time refusal_told{};
  /// Refusals since then.
  std::uint64_t refusals_held_back = 0;
};

}  // namespace cellos
