#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "messages/bind_refusal.hpp"
#include "messages/cell_specification.hpp"
#include "messages/chain_head.hpp"
#include "messages/clock.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_sighting.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"
#include "messages/intake_counts.hpp"
#include "messages/received_chunk.hpp"

/// The seams between the actors and the world. runtime/ implements them for production, tests/support for simulation.
namespace cellos {

/// One cell's bound socket, from bind to unlink. Outlives every actor that uses it; thread-safe.
///
/// Destroying the last reference closes its connections and removes the socket file if it is still ours.
class cell_intake {
 public:
  using delivery = std::function<void(chunk_ptr)>;

  cell_intake() = default;
  cell_intake(const cell_intake&) = delete;
  cell_intake& operator=(const cell_intake&) = delete;
  virtual ~cell_intake() = default;

  /// Hands every unacknowledged chunk to `deliver`, in order, then each new one. Replaces the delivery of the same or
  /// an earlier generation; one of a later generation stays, so that an orphan cannot take its successor's chunks.
  /// Reading starts with the first call; connections are accepted from bind on.
  virtual void attach(std::uint64_t generation, delivery deliver) = 0;

  /// Chunks up to and including `sequence` are in the log: forgets them and returns their credit.
  virtual void acknowledge(std::uint64_t sequence) = 0;

  /// Stops accepting and removes the socket file, reads what guests have already written, closes, and then calls
  /// `drained`, after the last chunk there will be. Bounded in time: what credit has not allowed to be read by the
  /// deadline is left unread, and that is reported to the operator. A second call replaces the first one's `drained`.
  virtual void drain(std::function<void()> drained) = 0;

  /// The chunk with this sequence while it is unacknowledged; null after.
  virtual chunk_ptr unacknowledged(std::uint64_t sequence) const = 0;

  virtual intake_counts counts() const = 0;

  /// Looks at the socket's file and, where it is gone or another's, binds the path again: connections, counts and what
  /// is unacknowledged stay. Nothing if guests find the socket, else why they do not.
  virtual std::optional<bind_refusal> ensure_bound() { return std::nullopt; }
};

using cell_intake_ptr = std::shared_ptr<cell_intake>;

/// Where the credit of a cell's chunks goes back to. Goes with each chunk to the SINK, which calls it: no message,
/// since many cells that send a little each would cost an actor's turn a chunk. Thread-safe; neither call waits.
class chunk_credit {
 public:
  chunk_credit() = default;
  chunk_credit(const chunk_credit&) = delete;
  chunk_credit& operator=(const chunk_credit&) = delete;
  virtual ~chunk_credit() = default;

  /// Chunks up to and including `sequence` are in the log.
  virtual void acknowledge(std::uint64_t sequence) = 0;
  /// A chunk is missing: everything unacknowledged is to come again.
  virtual void replay() = 0;
};

using chunk_credit_ptr = std::shared_ptr<chunk_credit>;

/// Where cells' sockets come from.
class telemetry_sockets {
 public:
  struct binding {
    /// Null when refused.
    cell_intake_ptr intake;
    bind_refusal refusal;
  };

  telemetry_sockets() = default;
  telemetry_sockets(const telemetry_sockets&) = delete;
  telemetry_sockets& operator=(const telemetry_sockets&) = delete;
  virtual ~telemetry_sockets() = default;

  /// On success the socket is bound and listening, and a connect by the expected uid succeeds.
  virtual binding bind(const cell_specification& cell) = 0;
};

/// The append-only log on local disk. Thread-safe.
class evidence_log {
 public:
  evidence_log() = default;
  evidence_log(const evidence_log&) = delete;
  evidence_log& operator=(const evidence_log&) = delete;
  virtual ~evidence_log() = default;

  /// Appends whole lines (each ends with a newline), all or none of them. An error (disk full, I/O error) leaves the
  /// log as it was; the caller keeps the lines and tries again. `heads`: where each chain that has lines among these
  /// stands behind them; one a chain.
  virtual std::error_code append(std::string_view lines, std::span<const chain_head> heads) = 0;
  /// Lines of chains that nobody will go on with.
  std::error_code append(std::string_view lines) { return append(lines, {}); }

  /// What puts on record that the log is about to get smaller: may take what the log keeps for that beyond its limit.
  virtual std::error_code append_from_reserve(std::string_view lines, std::span<const chain_head> heads) {
    return append(lines, heads);
  }

  /// What one append may bring at most; more may never fit.
  virtual std::size_t largest_append() const { return std::numeric_limits<std::size_t>::max(); }
  /// Waits, for a time that is bounded, while older lines are removed to make room for so many bytes. Not to be called
  /// by who holds what others append under.
  virtual void await_room(std::size_t /*bytes*/) {}

  /// The segment that the last append went to; 0 in a log without segments.
  virtual std::uint64_t current_segment() const { return 0; }
};

/// What the host reads of cells for itself, on threads of its own. Thread-safe.
class host_probes {
 public:
  using delivery = std::function<void(const host_stamp_ptr&, probe_reading_ptr)>;

  host_probes() = default;
  host_probes(const host_probes&) = delete;
  host_probes& operator=(const host_probes&) = delete;
  virtual ~host_probes() = default;

  /// Hands readings that are to be put on record to `deliver`, which does not wait. Replaces the delivery of the same
  /// or an earlier generation.
  virtual void attach(std::uint64_t generation, delivery deliver) = 0;
  /// Reads the cell as specified from now on, and shows on `board` what was seen last. Again for the same run: nothing
  /// changes; of another run of the cell, that run's end.
  virtual void watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) = 0;
  virtual void unwatch(const host_stamp_ptr& run) = 0;
};

/// Where chunks go that no DECODER survives, or decodes for its own run. Thread-safe.
class quarantine_store {
 public:
  quarantine_store() = default;
  quarantine_store(const quarantine_store&) = delete;
  quarantine_store& operator=(const quarantine_store&) = delete;
  virtual ~quarantine_store() = default;

  /// Name of the file the chunk was set aside in, or nothing if that failed.
  virtual std::optional<std::string> set_aside(std::string_view cell_id, const received_chunk& chunk) = 0;
};

}  // namespace cellos
