#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/run_totals.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

namespace cellos::test {

/// What the log holds of one cell's run, and whether it is what a run's chain must be.
struct run_record {
  std::uint64_t events = 0;
  std::uint64_t declarations = 0;
  std::uint64_t silences = 0;
  std::uint64_t resumptions = 0;
  /// Sums of the `telemetry_dropped` events.
  refusal_counts refused_reported;
  std::uint64_t missing_seq_reported = 0;
  std::uint64_t dropped_by_guest_reported = 0;
  /// What `run.v1.ended` says; nothing if the run did not end.
  std::optional<run_totals> totals;
  std::uint64_t in_flight_reported = 0;
  /// Each a sentence; the first few. A sequence with a gap, a declaration out of order, attribution that is not the
  /// cell's own, an event outside started and ended, a loss that nobody but the host is to blame for.
  std::vector<std::string> faults;
};

/// Reads a whole log in which each of `cells` had one run and its guest numbered its declarations from 1.
class run_records {
 public:
  run_records(const std::filesystem::path& evidence_dir, const std::vector<cell_settings>& cells);

  const run_record& of(const std::string& cell_id) const { return records_.at(cell_id).record; }
  /// Of all runs, and events that belong to none.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  struct run {
    cell_settings cell;
    std::string chain;
    run_record record;
  };

  void take(const event& next);
  void check_attribution(const run& of, const event& next);
  void take_end(run& of, const event& next);
  void complain(run_record* about, std::string what);

  std::map<std::string, run, std::less<>> records_;
  std::vector<std::string> faults_;
};

/// Where the record differs from what the guest says it sent; empty if it does not.
std::vector<std::string> differences(const run_record& logged, const sent_report& sent);

/// One text, a line each; for checks that show what was wrong.
std::string joined(const std::vector<std::string>& lines);

}  // namespace cellos::test
