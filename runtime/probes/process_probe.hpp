#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/process_files.hpp"
#include "runtime/probes/vmm_process.hpp"

namespace cellos {

/// How a process ended, as far as the host could see: the status is its parent's to collect, and others see it only
/// until then.
struct process_end {
  enum class manner : std::uint8_t { unknown, exited, signalled };
  manner how = manner::unknown;
  /// The exit code, or the signal's number.
  int number = 0;
  bool operator==(const process_end&) const = default;
};

/// Whether the kernel says the exit status of this /proc/PID to us. Its links have the same access check; of who has
/// ended they lead nowhere. Not its file `io`, which is its user's alone, whoever may trace it.
bool may_know_status(int directory);

/// `host.process`: the VMM behind a cell's telemetry connection. Needs to see other users' processes in /proc; how one
/// ended it sees only of its own user's, or with CAP_SYS_PTRACE.
///
/// A VMM that has ended is a reading, not an error, and stays one.
class process_probe final : public probe {
 public:
  /// `by`: asked how it ended where this process may not know.
  explicit process_probe(vmm_process process, privileged_reads_ptr by = own_reads());

  host_probe source() const override { return host_probe::process; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  probe_reading ended();
  process_end end_of(const process_stat& stat, monotonic_time deadline) const;

  vmm_process process_;
  privileged_reads_ptr by_;
  std::string inputs_;
  /// What was seen before it was reaped.
  std::optional<process_end> end_;
};

}  // namespace cellos
