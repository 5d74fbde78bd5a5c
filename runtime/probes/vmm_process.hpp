#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "messages/host_probe.hpp"
#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// Which process a VMM is, for as long as the machine runs: pids come again, the pair does not.
struct process_identity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  bool operator==(const process_identity&) const = default;
};

/// A process that is watched, alive or not: neither descriptor ever comes to mean another one.
struct vmm_process {
  process_identity identity;
  /// By which the kernel named it: the connection's own reference (Linux 6.5 and newer), or the pid of its credentials.
  bool named_by_pidfd = false;
  /// Readable once it has ended.
  file_descriptor pidfd;
  /// Its directory in /proc.
  file_descriptor directory;
};

/// Who connected a Unix stream socket: Firecracker itself connects to the cell's telemetry socket, so the peer of that
/// connection is the VMM. `io` where it has ended meanwhile. `proc_root`: where proc(5) is mounted.
probe_result<vmm_process> peer_process(int connection, const std::string& proc_root = "/proc");

/// The process that has this pid at the moment.
probe_result<vmm_process> process_with_pid(pid_t pid, const std::string& proc_root = "/proc");

/// Whether it has ended, reaped or not.
bool has_ended(const vmm_process& process);

}  // namespace cellos
