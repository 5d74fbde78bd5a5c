#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/probes/cell_sight.hpp"
#include "runtime/probes/probe_schedule.hpp"

namespace cellos::simulation {

/// What the kernel of a simulated host has of one cell: its truth.
struct kernel_objects {
  /// Attempts to connect that came out of the cell.
  std::uint64_t attempts = 0;
  /// What its table counts, or its interface where it has no table: so many for each attempt.
  std::uint64_t packets_an_attempt = 1;
  std::uint64_t refused_forks = 0;
  std::uint64_t cpu_us = 0;
  /// Of the VMM, once it was killed.
  std::optional<std::uint32_t> signal;
  /// Somebody has connected, so that it is known who the VMM is.
  bool connected = false;
};

/// A host's probes of a kernel that is made up. When what is read is decided by production's schedule, what is seen of
/// it last by production's cell_sight; sources and threads are the simulation's.
class simulated_probes final : public host_probes {
 public:
  explicit simulated_probes(std::uint64_t seed);

  void attach(std::uint64_t generation, delivery deliver) override;
  void watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) override;
  void unwatch(const host_stamp_ptr& run) override;

  void connected(const std::string& cell_id, monotonic_time now);
  /// As the service has it: a little later, who has left may have ended.
  void disconnected(const std::string& cell_id, monotonic_time now);
  /// Reads what is due.
  void pass(wall_time at, monotonic_time now);
  /// A life of the daemon ends: whoever was watched is watched again by the next one.
  void forget_all();

  std::map<std::string, kernel_objects> kernel;
  std::uint64_t readings = 0;

 private:
  struct watched_cell {
    host_stamp_ptr run;
    sighting_board_ptr board;
    cell_probes probes;
    std::unique_ptr<cell_sight> sight;
  };

  std::optional<probe_reading> read(const watched_cell& cell, host_probe what) const;

  probe_schedule schedule_;
  std::uint64_t generation_ = 0;
  delivery deliver_;
  std::map<std::string, watched_cell> cells_;
  monotonic_time now_{};
};

}  // namespace cellos::simulation
