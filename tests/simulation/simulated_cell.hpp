#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/socket_service/chunk_ledger.hpp"
#include "runtime/socket_service/connection_reading.hpp"

namespace cellos::simulation {

using randomness = std::mt19937_64;

/// True with probability `per_mille` / 1000.
inline bool chance(randomness& random, std::uint32_t per_mille) { return random() % 1000 < per_mille; }
inline std::uint64_t below(randomness& random, std::uint64_t limit) { return random() % limit; }

/// What the host must make of one frame.
enum class expected : std::uint8_t { declaration, heartbeat, refused };

struct sent_frame {
  expected what{};
  /// Of a declaration: its `guest_monotonic_ns`, unique within the cell.
  std::uint64_t number = 0;
  std::size_t bytes = 0;
};

/// What one chunk came to when it was read, by its sequence.
struct chunk_record {
  std::vector<std::uint64_t> declarations;
  std::uint64_t heartbeats = 0;
  std::uint64_t refused = 0;
  bool quarantined = false;

  std::uint64_t frames() const { return declarations.size() + heartbeats + refused; }
};

/// A guest's connection: bytes it has written and the host has not read, and where frames end in them.
struct simulated_connection {
  simulated_connection(std::uint64_t number_in_cell, cell_reading& shared)
      : number(number_in_cell), reading(number_in_cell, shared) {}

  std::uint64_t number;
  connection_reading reading;
  std::deque<std::uint8_t> unread;
  /// Whole ones that no chunk has brought.
  std::deque<sent_frame> frames;
  /// Bytes that the host has read and not kept, without those of frames that a chunk has brought.
  std::size_t read_behind_frames = 0;
  bool closed_by_guest = false;
  /// The guest stopped in the middle of a frame.
  bool stuck = false;
  /// The host has given its descriptor back.
  bool gone = false;
};

/// A frame as a guest writes it; `number` is its `guest_monotonic_ns`.
std::vector<std::uint8_t> declared_frame(std::string_view source, std::string_view comm, std::uint64_t number);

/// The kernel's side of one cell's socket, and the I/O thread's, which carries out what production's
/// `connection_reading` and `chunk_ledger` decide. Faults that a variant plants are virtual.
class simulated_socket {
 public:
  simulated_socket(std::size_t max_chunks, byte_budget& budget)
      : chunks(max_chunks, budget), reading(budget), budget_(budget) {}
  virtual ~simulated_socket() = default;

  void guest_writes(randomness& random, bool may_be_poison);
  void guest_closes();
  /// One read of one connection, of a random length, if there is credit, or of what its guest left behind. False if
  /// there was nothing to do.
  bool read_some(randomness& random, read_time at);
  /// What the I/O thread sees to in each turn: frames that never become whole, and cells that drain.
  void look_after(read_time at);
  void drain(std::function<void()> when_drained);
  /// Whether whoever asked for it has been answered.
  bool drained() const { return !accepting && !drained_; }
  /// The intake is gone.
  void release();

  virtual void acknowledge(std::uint64_t sequence);
  virtual void attach(std::uint64_t generation, cell_intake::delivery deliver);
  /// Some cell's acknowledgement gave bytes back.
  void budget_came_back();
  /// Whether guests wrote what the host has not taken, though it might.
  bool has_unread() const;
  bool waits_inside_frame() const;

  chunk_ledger chunks;
  cell_reading reading;
  std::vector<std::unique_ptr<simulated_connection>> connections;
  std::map<std::uint64_t, chunk_record> records;
  intake_counts counts;
  /// What the host did with a connection and may not.
  std::vector<std::string> violations;
  std::uint64_t first_number = 1;
  std::uint64_t next_number = 1;
  std::uint64_t next_sequence = 1;
  std::uint64_t acknowledged = 0;
  /// Of those, as far as the log was synced behind them.
  std::uint64_t durable = 0;
  /// How often the kernel has no memory for a read, or the connection breaks.
  std::uint32_t fault_per_mille = 0;
  bool accepting = true;

 private:
  simulated_connection& connection(randomness& random);
  bool may_read();
  read_outcome receive(simulated_connection& from, randomness& random, std::size_t most,
                       std::vector<std::uint8_t>& into);
  bool carry_out(simulated_connection& from, reading_step step, randomness& random, read_time at);
  bool read(simulated_connection& from, randomness& random, read_time at);
  bool keep(simulated_connection& from, randomness& random);
  void deliver(simulated_connection& from, std::optional<received_chunk> chunk);
  void record(simulated_connection& from, const received_chunk& chunk);

  byte_budget& budget_;
  /// There was no credit; nobody has said since that there is, as the I/O thread is notified.
  bool paused_ = false;
  bool budget_wanted_ = false;
  bool drain_wanted_ = false;
  std::function<void()> drained_;
};

}  // namespace cellos::simulation
