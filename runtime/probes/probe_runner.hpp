#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "messages/clock.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_stamp.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/probe_health.hpp"
#include "runtime/probes/probe_schedule.hpp"

namespace cellos {

struct probe_runner_settings {
  probe_schedule_settings schedule{};
  /// A source that takes longer is `timed_out`, for each of its cells. Chosen here: a tenth of a period.
  std::chrono::nanoseconds read_timeout = std::chrono::seconds{1};
  /// Threads that read. Those that hang in a read do not count, up to as many again: beyond them nothing is read.
  std::size_t readers = 2;
};

/// Who hears what was read. Called on threads of the runner, one at a time, never for a cell that was removed before;
/// does not call the runner, and does not wait.
struct probe_listener {
  /// `host_received_at` is set: it is handed on at this moment. Not called of a reading without output, which says
  /// nothing.
  std::function<void(const host_stamp_ptr&, const probe_reading&)> on_reading;
  /// A probe of a cell begins to fail, fails otherwise, or reads again. `words` of the error, if it is one.
  std::function<void(const host_stamp_ptr&, host_probe, const probe_health::change&, const std::string& words)>
      on_change;
};

/// Reads probes on threads of its own, when their schedule says. A read that hangs keeps its thread and its source, and
/// nothing else: it is reported as `timed_out` when its time is over, and goes on when it returns.
class probe_runner {
 public:
  /// The clock dates readings, and outlives the runner.
  probe_runner(const probe_runner_settings& settings, const wall_clock& clock, probe_listener listener);
  probe_runner(const probe_runner&) = delete;
  probe_runner& operator=(const probe_runner&) = delete;
  /// Waits for no read longer than its time: the thread of one that hangs ends when that returns. The listener is not
  /// called afterwards.
  ~probe_runner();

  /// `shared`: names the source where cells share it (see probe_schedule); empty where the cell has it alone. One probe
  /// of a kind and cell; another one takes its place.
  void add(const host_stamp_ptr& cell, std::shared_ptr<probe> what, const std::string& shared = {});
  void remove(const std::string& cell_id);
  /// Has a probe of the cell read at this time, if it is due later. Any thread; never waits for a read.
  void hasten(const std::string& cell_id, host_probe what, monotonic_time at);

  struct probe_counts {
    std::uint64_t readings = 0;
    /// By probe_error_kind.
    std::array<std::uint64_t, probe_error_names.size()> errors{};
    std::chrono::nanoseconds reading_time{};
  };
  struct counts {
    std::uint64_t readings = 0;
    /// By probe_error_kind.
    std::array<std::uint64_t, probe_error_names.size()> errors{};
    /// Of each of them.
    std::array<probe_counts, host_probe_names.size()> by_probe{};
    std::uint64_t missed = 0;
    /// Threads in a read whose time is over.
    std::size_t hanging = 0;
    std::chrono::nanoseconds reading_time{};
  };
  counts counted() const;

 private:
  struct state;
  static void conduct(const std::shared_ptr<state>& with);
  static void read_jobs(const std::shared_ptr<state>& with);

  std::shared_ptr<state> state_;
};

}  // namespace cellos
