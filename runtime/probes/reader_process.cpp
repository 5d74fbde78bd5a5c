// The process that has the probes' capabilities, started before the daemon gives them up. It cannot be started again
// by a daemon that has none; so it is two: this one keeps them, unused, and forks who answers.

#include "runtime/probes/reader_process.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/probes/reader_messages.hpp"
#include "runtime/probes/system_call_filter.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

/// From one that ended soon to the next; twice as long each time, up to the last. Chosen here.
constexpr milliseconds first_delay{100};
constexpr milliseconds last_delay{10'000};

/// Those of the socket, the lifeline and a namespace; one being answered has six more at most.
constexpr rlim_t most_descriptors = 32;

bool is_started_by_daemon() {
  int type = 0;
  socklen_t length = sizeof type;
  struct stat lifeline {};
  return ::getsockopt(reader_socket, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET &&
         ::fstat(reader_lifeline, &lifeline) == 0 && S_ISFIFO(lifeline.st_mode);
}

/// All but what stops it is held back: the daemon's end is its own. Its faults still kill it.
void hold_signals_back() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

void limit(__rlimit_resource what, rlim_t most) {
  const rlimit limits{most, most};
  ::setrlimit(what, &limits);
}

/// Keeps what probes need, where it could be used and where it could not: nothing is lent to what is forked or run.
bool keep_probe_capabilities() {
  const capability_set kept = present_capabilities().permitted & probe_capabilities();
  // Those of the bounding set while there may be a CAP_SETPCAP.
  if (drop_capabilities(~probe_capabilities() & ~capability(CAP_SETPCAP))) return false;
  for (const int each : {CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SETPCAP}) {
    ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return !set_capabilities({0, kept, 0});
}

bool is_confined() {
  ::prctl(PR_SET_NAME, "cellos-reads");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !keep_probe_capabilities()) return false;
  // After the change of capabilities, which would forget it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) return false;
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, most_descriptors);
  return ::chdir("/") == 0;
}

/// What this process and the one that answers do; that one takes more away.
std::string filter_calls() {
  static constexpr std::array allowed = std::to_array<allowed_call>({
#ifdef SYS_poll
      {SYS_poll},
#endif
#ifdef SYS_rseq
      {SYS_rseq},
#endif
#ifdef SYS_fork
      {SYS_fork},
#endif
      {SYS_ppoll},         {SYS_read},
      {SYS_close},         {SYS_recvmsg},
      {SYS_recvfrom},      {SYS_sendmsg},
      {SYS_sendto},        {SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
      {SYS_fstatfs},       {SYS_readlinkat},
      {SYS_setns},         {SYS_socket},
      {SYS_clone},         {SYS_set_robust_list},
      {SYS_gettid},        {SYS_getpid},
      {SYS_getppid},       {SYS_pidfd_open},
      {SYS_kill},          {SYS_wait4},
      {SYS_prctl},         {SYS_capset},
      {SYS_capget},        {SYS_rt_sigprocmask},
      {SYS_rt_sigreturn},  {SYS_restart_syscall},
      {SYS_clock_gettime}, {SYS_brk},
      {SYS_munmap},        {SYS_mmap, 2, PROT_EXEC, 0},
      {SYS_mremap},        {SYS_madvise},
      {SYS_futex},         {SYS_getrandom},
      {SYS_exit_group},
  });
  return allow_only(allowed);
}

pid_t fork_worker(int own_namespace) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::close(reader_lifeline);
  answer_privileged_reads(own_namespace);
}

enum class lifeline_says : std::uint8_t { nothing, restart, end };

lifeline_says listen_to_lifeline() {
  std::array<char, 64> bytes;
  const auto read = uninterrupted([&] { return ::read(reader_lifeline, bytes.data(), bytes.size()); });
  return read > 0 ? lifeline_says::restart : lifeline_says::end;
}

/// Waits for either, at most so long: -1 for ever.
lifeline_says wait_for(int worker, int timeout) {
  std::array<pollfd, 2> either{pollfd{reader_lifeline, POLLIN, 0}, pollfd{worker, POLLIN, 0}};
  uninterrupted([&] { return ::poll(either.data(), either.size(), timeout); });
  return either[0].revents != 0 ? listen_to_lifeline() : lifeline_says::nothing;
}

/// Whether it is to go on: false where the daemon has ended.
bool outlive(pid_t worker) {
  const file_descriptor end{static_cast<int>(::syscall(SYS_pidfd_open, worker, 0U))};
  const auto said = wait_for(end.get(), -1);
  ::kill(worker, SIGKILL);
  if (said == lifeline_says::end) return false;
  uninterrupted([&] { return ::waitpid(worker, nullptr, 0); });
  return true;
}

}  // namespace

capability_set probe_capabilities() {
  return capability(CAP_NET_ADMIN) | capability(CAP_SYS_ADMIN) | capability(CAP_SYS_PTRACE);
}

exit_code serve_privileged_reads() {
  if (!is_started_by_daemon()) {
    std::fputs(
        "cellos-telemetryd: --privileged-reader is for the daemon itself, which starts it where probes need it\n",
        stderr);
    return exit_usage;
  }
  hold_signals_back();
  ::syscall(SYS_close_range, reader_lifeline + 1, ~0U, 0U);
  if (!is_confined()) return exit_unavailable;
  const file_descriptor own{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
  if (!own || !filter_calls().empty()) return exit_unavailable;
  milliseconds delay = first_delay;
  for (;;) {
    const auto begun = std::chrono::steady_clock::now();
    const pid_t worker = fork_worker(own.get());
    if (worker > 0 && !outlive(worker)) return exit_success;
    // Nobody can have one that ends at once again and again.
    delay = std::chrono::steady_clock::now() - begun > last_delay ? first_delay : std::min(2 * delay, last_delay);
    if (wait_for(-1, static_cast<int>(delay.count())) == lifeline_says::end) return exit_success;
  }
}

}  // namespace cellos
