#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "messages/cell_specification.hpp"
#include "messages/contradiction.hpp"
#include "messages/guest_declaration.hpp"
#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "messages/witness_terms.hpp"

namespace cellos {

/// Compares what a run's cell declares with what its host reads, by the lines of the run's chain in their order: a
/// seam, so that whoever has the lines comes to the same results. One SINK at a time uses it.
///
/// Each function is called with a line that is in the chain for good: its sequence, and its time.
class run_witness {
 public:
  using found = std::vector<recorded_contradiction>;

  run_witness() = default;
  run_witness(const run_witness&) = delete;
  run_witness& operator=(const run_witness&) = delete;
  virtual ~run_witness() = default;

  /// Of wall time, in which it compares: on record where the run begins.
  virtual std::chrono::nanoseconds window() const = 0;
  /// What is configured of it: on record there as well.
  virtual witness_terms terms() const { return {}; }

  virtual found declared(std::uint64_t sequence, wall_time at, probe_source source, std::uint32_t guest_pid) = 0;
  virtual found read(std::uint64_t sequence, wall_time at, const probe_reading& reading) = 0;
  virtual found silenced(std::uint64_t sequence, wall_time at, std::chrono::nanoseconds silent_for) = 0;
  virtual found resumed(std::uint64_t sequence, wall_time at) = 0;
  virtual found lost(std::uint64_t sequence, wall_time at) = 0;
  /// The daemon was away.
  virtual found restarted(std::uint64_t sequence, wall_time at) = 0;
};

using run_witness_ptr = std::shared_ptr<run_witness>;

/// Null for a cell of which nothing is read that could be compared.
using make_run_witness = std::function<run_witness_ptr(const cell_specification&)>;

}  // namespace cellos
