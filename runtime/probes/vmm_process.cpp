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

/// Of a process that has no directory in /proc: it has ended, or the directory is hidden from us.
probe_error absent(pid_t pid, const file_descriptor& pidfd) {
  const file_descriptor own{pidfd ? -1 : pidfd_open(pid)};
  const int watched = pidfd ? pidfd.get() : own.get();
  if (watched < 0 || is_readable(watched)) return gone();
  return {probe_error_kind::permission_denied, "the VMM is hidden from us in /proc"};
}

/// What has this pid now; `pidfd`, if there is one, says whether that is who is meant.
probe_result<vmm_process> look_at(pid_t pid, file_descriptor pidfd, const std::string& proc_root) {
  vmm_process found;
  found.named_by_pidfd = static_cast<bool>(pidfd);
  auto directory = open_trusted_directory(proc_root + "/" + std::to_string(pid));
  if (!directory) return directory.error().kind == probe_error_kind::io ? absent(pid, pidfd) : directory.error();
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

probe_result<vmm_process> look_up(named_peer peer, const std::string& proc_root) {
  return look_at(peer.pid, std::move(peer.pidfd), proc_root);
}

probe_result<vmm_process> peer_process(int connection, const std::string& proc_root) {
  auto peer = name_peer(connection);
  if (!peer) return peer.error();
  return look_up(std::move(*peer), proc_root);
}

probe_result<vmm_process> reopen(const process_identity& identity, bool named_by_pidfd, const std::string& proc_root) {
  auto directory = open_trusted_directory(proc_root + "/" + std::to_string(identity.pid));
  if (!directory) {
    return directory.error().kind == probe_error_kind::io ? absent(identity.pid, {}) : directory.error();
  }
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
  return look_at(pid, file_descriptor{}, proc_root);
}

bool has_ended(const vmm_process& process) { return is_readable(process.pidfd.get()); }

}  // namespace cellos
