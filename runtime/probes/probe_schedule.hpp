#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"

namespace cellos {

struct probe_schedule_settings {
  /// From one reading of a source to the next. Default: chosen here; upstream leaves the cadence to whoever schedules.
  std::chrono::nanoseconds period = std::chrono::seconds{10};
  /// Each reading comes up to this part of a period early or late, so that a thousand cells do not fall into step with
  /// each other, or with what guests do periodically.
  double jitter = 0.1;
  /// Readings of cells in one turn. What is over stays due, and goes first in the next one.
  std::size_t readings_a_turn = 256;
  /// Of phases and jitter: the same seed, the same schedule.
  std::uint64_t seed = 0;
};

/// Decides when which source is read for which cells; reads nothing, keeps no clock, starts nothing.
///
/// A source is named by its probe and, where cells share it (the links of one namespace), by a name: all its cells are
/// due together, with one reading. A source that is still being read is not due; what it missed is counted and not made
/// up for.
class probe_schedule {
 public:
  struct source {
    host_probe probe{};
    /// Of what is shared, or of the cell where it has the source alone.
    std::string name;
    auto operator<=>(const source&) const = default;
  };
  struct due_source {
    source what;
    /// Names, in order; at least one.
    std::vector<std::string> cells;
    /// Names this reading to `finished`.
    std::uint64_t ticket = 0;
    bool operator==(const due_source&) const = default;
  };

  explicit probe_schedule(const probe_schedule_settings& settings) : settings_(settings) {}

  /// A source that no cell had is due within one period, at a phase of its own.
  void add(const std::string& cell, const source& what, monotonic_time now);
  /// From all its sources; one without cells is forgotten.
  void remove(const std::string& cell);
  void remove(const std::string& cell, const source& what);
  /// Has it read at this time rather than when it is due, if that is later; its other readings stay where they are.
  /// Never two within `least_pause`, however often this is asked.
  void hasten(const source& what, monotonic_time at);
  /// Chosen here: a cell that connects and leaves all the time costs ten readings a second.
  static constexpr std::chrono::milliseconds least_pause{100};

  /// What is to be read now, the longest due first. A source with more cells than a turn has readings goes alone.
  std::vector<due_source> take_due(monotonic_time now);
  /// What was taken has been read, or has failed.
  void finished(const due_source& read, monotonic_time now);

  /// When something is due next; monotonic_time::max() if nothing ever is.
  monotonic_time next_wake() const;
  /// Readings that did not happen because the one before, or the thread, was late.
  std::uint64_t missed() const { return missed_; }
  std::size_t sources() const { return entries_.size(); }

 private:
  struct entry {
    std::set<std::string> cells;
    /// Without jitter: those of a source are exactly periods apart.
    monotonic_time nominal;
    monotonic_time due;
    /// Without haste: `due` may be earlier.
    monotonic_time regular;
    /// To be read then at the latest, once the reading that runs is done.
    std::optional<monotonic_time> again;
    /// When it was last taken, and whether that was in haste.
    std::optional<monotonic_time> taken;
    bool early = false;
    std::uint64_t reading = 0;
    /// Of the reading that runs; 0 while none does.
    std::uint64_t ticket = 0;
  };
  using queue_place = std::pair<monotonic_time, source>;

  void enqueue(const source& what, entry& of);
  void put_in_queue(const source& what, entry& of);
  std::chrono::nanoseconds part_of_period(const source& what, std::uint64_t reading) const;

  probe_schedule_settings settings_;
  std::map<source, entry> entries_;
  std::set<queue_place> queue_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace cellos
