#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/socket_service/chunk_ledger.hpp"
#include "runtime/socket_service/framer.hpp"

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
  std::uint64_t id = 0;
  std::deque<std::uint8_t> unread;
  std::deque<sent_frame> frames;
  framer cutter;
  bool closed_by_guest = false;
  bool spoke = false;
};

/// The kernel's side and the I/O thread's side of one cell's socket, over the production framer and chunk ledger.
/// Faults that a variant plants are virtual.
class simulated_socket {
 public:
  simulated_socket(std::size_t max_chunks, byte_budget& budget) : chunks(max_chunks, budget) {}
  virtual ~simulated_socket() = default;

  void guest_writes(randomness& random, bool may_be_poison);
  void guest_closes();
  /// One read of one connection, of a random length, if there is credit. False if there was nothing to do.
  bool read_some(randomness& random, wall_time wall, monotonic_time mono);
  bool has_unread() const { return !connections.empty(); }
  void check_drained();

  virtual void acknowledge(std::uint64_t sequence) { chunks.acknowledge(sequence); }
  virtual void attach(std::uint64_t generation, cell_intake::delivery deliver) {
    chunks.attach(generation, std::move(deliver));
  }

  chunk_ledger chunks;
  std::vector<std::unique_ptr<simulated_connection>> connections;
  std::map<std::uint64_t, chunk_record> records;
  intake_counts counts;
  std::uint64_t first_number = 1;
  std::uint64_t next_number = 1;
  std::uint64_t next_sequence = 1;
  bool accepting = true;
  bool draining = false;
  std::function<void()> drained;

 private:
  simulated_connection& connection(randomness& random);
  void end(simulated_connection& ended);
  void emit(simulated_connection& from, framer::cut cut, chunk_ending ending, wall_time wall, monotonic_time mono);
};

}  // namespace cellos::simulation
