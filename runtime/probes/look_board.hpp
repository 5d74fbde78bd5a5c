#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/contradiction.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// The last look of one probe at one cell.
struct probe_look {
  host_probe probe{};
  /// When it read last; nothing: it never has.
  std::optional<monotonic_time> read_at{};
  /// What it read then; null where that is longer than `look_board::longest_reading`.
  probe_reading_ptr reading{};
  std::size_t reading_bytes = 0;
  /// How it fails since.
  std::optional<probe_error> failing{};
};

/// What the host saw of a cell's run, for people: beside the log, not instead of it.
struct cell_look {
  /// Of those that have read or failed, in the order of host_probe.
  std::vector<probe_look> probes;
  /// Contradictions found since this daemon has the run.
  std::uint64_t contradictions = 0;
  /// The last of them, newest first.
  std::vector<recorded_contradiction> last_contradictions;
};

/// Keeps that of all cells, a bounded amount of each. Thread-safe.
class look_board {
 public:
  /// Bytes of a reading that is kept. Chosen here: what the kernel says of a cell is a tenth of it.
  static constexpr std::size_t longest_reading = 16384;
  /// Chosen here: a screen of them; the log has them all.
  static constexpr std::size_t most_contradictions = 16;

  /// Another run of the cell, or the same: what was found of that is kept.
  void begin(const std::string& cell_id, const std::string& run_id);
  void end(const std::string& cell_id);
  // Of a run that is not the cell's, or no longer: nothing.
  void read(const host_stamp& run, const probe_reading_ptr& reading, monotonic_time now);
  void failed(const host_stamp& run, host_probe probe, probe_error error);
  void found(std::string_view cell_id, std::string_view run_id, const recorded_contradiction& contradiction);

  /// Nothing of a cell that is not watched.
  std::optional<cell_look> of(std::string_view cell_id) const;

 private:
  struct entry {
    std::string run_id;
    std::map<host_probe, probe_look> probes;
    std::uint64_t contradictions = 0;
    std::deque<recorded_contradiction> last;
  };

  /// Under the lock; null where it is not the cell's run.
  entry* of_run(std::string_view cell_id, std::string_view run_id);

  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> cells_;
};

}  // namespace cellos
