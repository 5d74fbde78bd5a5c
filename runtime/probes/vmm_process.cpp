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

/// Its directory in /proc. Where there is none it has ended, or the directory is hidden from us; where there is no
/// descriptor left nobody knows.
probe_result<file_descriptor> open_process(pid_t pid, const file_descriptor& pidfd, const std::string& proc_root) {
  const std::string path = proc_root + "/" + std::to_string(pid);
  auto directory = open_trusted_directory(path);
  if (directory) return directory;
  if (::access(path.c_str(), F_OK) == 0 || errno != ENOENT) return directory.error();
  const file_descriptor own{pidfd ? -1 : pidfd_open(pid)};
  if (!pidfd && !own) return errno == ESRCH ? gone() : system_refusal("pidfd_open", errno);
  if (is_readable(pidfd ? pidfd.get() : own.get())) return gone();
  return probe_error{probe_error_kind::permission_denied, "the VMM is hidden from us in /proc"};
}

/// What has this pid now; `pidfd`, if there is one, says whether that is who is meant, and is taken with what is found.
probe_result<vmm_process> look_at(pid_t pid, file_descriptor& pidfd, const std::string& proc_root) {
  vmm_process found;
  found.named_by_pidfd = static_cast<bool>(pidfd);
  auto directory = open_process(pid, pidfd, proc_root);
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
  file_descriptor own{pidfd ? -1 : pidfd_open(pid)};
  if (!pidfd && !own) return errno == ESRCH ? gone() : system_refusal("pidfd_open", errno);
  // Who lives now has had the pid all the time, and the directory is its own. Of who has ended nobody knows.
  if (is_readable(pidfd ? pidfd.get() : own.get())) return gone();
  const auto again = read_kernel_file(found.directory.get(), "stat", longest_stat);
  if (!again) return again.error();
  if (!*again) return gone();
  found.pidfd = std::move(pidfd ? pidfd : own);
  return found;
}

}  // namespace

probe_result<named_peer> name_peer(int connection) {
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
  } else if (errno != EMFILE && errno != ENFILE &&
             probe_error_kind_of(errno) != probe_error_kind::platform_unsupported) {
    // Where descriptors have run out its pid has to do.
    return system_refusal("SO_PEERPIDFD", errno);
  }
  return named_peer{peer.pid, std::move(pidfd)};
}

bool says_ended(const probe_error& error) { return error == gone(); }

probe_result<vmm_process> look_up(named_peer& peer, const std::string& proc_root) {
  return look_at(peer.pid, peer.pidfd, proc_root);
}

probe_result<vmm_process> peer_process(int connection, const std::string& proc_root) {
  auto peer = name_peer(connection);
  if (!peer) return peer.error();
  return look_up(*peer, proc_root);
}

probe_result<vmm_process> reopen(const process_identity& identity, bool named_by_pidfd, const std::string& proc_root) {
  auto directory = open_process(identity.pid, {}, proc_root);
  if (!directory) return directory.error();
  vmm_process found;
  found.identity = identity;
  found.named_by_pidfd = named_by_pidfd;
  found.directory = std::move(*directory);
  // Whoever has the pid by now: the directory is compared by its start time.
  found.pidfd = file_descriptor{pidfd_open(identity.pid)};
  if (!found.pidfd) return errno == ESRCH ? gone() : system_refusal("pidfd_open", errno);
  return found;
}

probe_result<vmm_process> process_with_pid(pid_t pid, const std::string& proc_root) {
  file_descriptor none;
  return look_at(pid, none, proc_root);
}

bool has_ended(const vmm_process& process) { return is_readable(process.pidfd.get()); }

}  // namespace cellos
