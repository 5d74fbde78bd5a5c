#include "runtime/probes/vmm_process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/os/file_system.hpp"
#include "runtime/probes/process_files.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

/// Linux 6.5; not in Debian 12's headers.
constexpr int so_peerpidfd = 77;
constexpr std::size_t longest_stat = 4096;

probe_error gone() { return {probe_error_kind::io, "the VMM has ended"}; }

int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)); }

bool is_readable(int pidfd) {
  pollfd ended{pidfd, POLLIN, 0};
  return uninterrupted([&] { return ::poll(&ended, 1, 0); }) > 0;
}

/// What has this pid now; `pidfd`, if there is one, says whether that is who is meant.
probe_result<vmm_process> look_at(pid_t pid, file_descriptor pidfd, const std::string& proc_root) {
  vmm_process found;
  found.named_by_pidfd = static_cast<bool>(pidfd);
  auto directory = open_trusted_directory(proc_root + "/" + std::to_string(pid));
  if (!directory) return directory.error();
  found.directory = std::move(*directory);
  const auto text = read_kernel_file(found.directory.get(), "stat", longest_stat);
  if (!text) return text.error();
  if (!*text) return gone();
  const auto stat = parse_process_stat(**text);
  if (!stat || stat->pid != static_cast<std::uint64_t>(pid)) {
    return probe_error{probe_error_kind::malformed_source, "/proc/PID/stat has another form"};
  }
  found.identity = {pid, stat->start_ticks};
  found.pidfd = pidfd ? std::move(pidfd) : file_descriptor{pidfd_open(pid)};
  if (!found.pidfd) return errno == ESRCH ? gone() : system_refusal("pidfd_open", errno);
  // Who lives now has had the pid all the time, and the directory is its own. Of who has ended nobody knows.
  if (is_readable(found.pidfd.get())) return gone();
  const auto again = read_kernel_file(found.directory.get(), "stat", longest_stat);
  if (!again) return again.error();
  return *again ? probe_result<vmm_process>{std::move(found)} : gone();
}

}  // namespace

probe_result<vmm_process> peer_process(int connection, const std::string& proc_root) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return system_refusal("SO_PEERCRED", errno);
  // It is 0 where the peer is in a pid namespace that is not below ours.
  if (peer.pid <= 0) return probe_error{probe_error_kind::permission_denied, "the peer's pid is not visible here"};
  int fd = -1;
  length = sizeof fd;
  file_descriptor pidfd;
  if (::getsockopt(connection, SOL_SOCKET, so_peerpidfd, &fd, &length) == 0) {
    pidfd = file_descriptor{fd};
  } else if (errno == ESRCH || errno == EINVAL) {
    // The peer was reaped.
    return gone();
  } else if (probe_error_kind_of(errno) != probe_error_kind::platform_unsupported) {
    return system_refusal("SO_PEERPIDFD", errno);
  }
  return look_at(peer.pid, std::move(pidfd), proc_root);
}

probe_result<vmm_process> process_with_pid(pid_t pid, const std::string& proc_root) {
  return look_at(pid, file_descriptor{}, proc_root);
}

bool has_ended(const vmm_process& process) { return is_readable(process.pidfd.get()); }

}  // namespace cellos
