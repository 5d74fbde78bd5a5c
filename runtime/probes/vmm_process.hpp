#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
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

/// What the kernel says of a connection's peer at once.
struct named_peer {
  pid_t pid = 0;
  /// Of kernels that have it (Linux 6.5 and newer), while there are descriptors.
  file_descriptor pidfd;
  bool by_pidfd = static_cast<bool>(pidfd);
  /// Held as long as the descriptor may be.
  std::shared_ptr<void> claim{};
};

/// Whether it says that a process has ended, and not that nobody could look.
bool says_ended(const probe_error& error);

/// Two system calls, of which neither waits. An error that says_ended where the peer has ended and was reaped.
probe_result<named_peer> name_peer(int connection);
/// The process that was named; an error that says_ended where it has ended meanwhile. After another error `peer` is as
/// it was. `proc_root`: where proc(5) is mounted.
probe_result<vmm_process> look_up(named_peer& peer, const std::string& proc_root = "/proc");
/// A process that was found before, ended or not; an error that says_ended where nothing of it is left.
probe_result<vmm_process> reopen(const process_identity& identity, bool named_by_pidfd,
                                 const std::string& proc_root = "/proc");

/// Who connected a Unix stream socket: Firecracker itself connects to the cell's telemetry socket, so the peer of that
/// connection is the VMM. `io` where it has ended meanwhile. `proc_root`: where proc(5) is mounted.
probe_result<vmm_process> peer_process(int connection, const std::string& proc_root = "/proc");

/// The process that has this pid at the moment.
probe_result<vmm_process> process_with_pid(pid_t pid, const std::string& proc_root = "/proc");

/// Whether it has ended, reaped or not.
bool has_ended(const vmm_process& process);

}  // namespace cellos
