#include "runtime/probes/bounded_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

/// What a shell says of what cannot be run.
constexpr int could_not_run = 127;

/// A process that is not waited for yet, so that its number, and its group's, are nobody else's.
class running_program {
 public:
  running_program(pid_t pid, file_descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;
  ~running_program() { end(); }

  int pidfd() const { return pidfd_.get(); }
  /// Kills whoever is left of its group, and waits for it. The status is waitpid's.
  int end() {
    if (pid_ <= 0) return status_;
    ::kill(-pid_, SIGKILL);
    uninterrupted([this] { return ::waitpid(pid_, &status_, 0); });
    pid_ = 0;
    return status_;
  }

 private:
  pid_t pid_;
  file_descriptor pidfd_;
  int status_ = 0;
};

void limit(int what, rlim_t most) {
  const rlimit limits{most, most};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &limits);
}

/// Between fork and exec of a process with threads: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, char* const* environment, int out, const exec_probe_settings& settings) {
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(null, STDERR_FILENO) < 0) {
    ::_exit(could_not_run);
  }
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CPU, settings.cpu_seconds);
  limit(RLIMIT_AS, settings.memory_bytes);
  limit(RLIMIT_NOFILE, settings.descriptors);
  limit(RLIMIT_CORE, 0);
  ::execve(argv[0], argv, environment);
  ::_exit(could_not_run);
}

std::optional<probe_error> wait_for(std::array<pollfd, 2>& descriptors, monotonic_time deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  const int ready = uninterrupted([&] { return ::poll(descriptors.data(), descriptors.size(), wait); });
  if (ready < 0) return system_refusal("poll", errno);
  if (ready == 0) return probe_error{probe_error_kind::timed_out, "the program has not ended in time"};
  return std::nullopt;
}

/// Takes what there is; whether more may come.
probe_result<bool> take_output(int from, std::string& into, std::size_t most) {
  std::array<char, 4096> piece;
  for (;;) {
    const auto bytes = uninterrupted([&] { return ::read(from, piece.data(), piece.size()); });
    if (bytes == 0) return false;
    if (bytes < 0 && errno == EAGAIN) return true;
    if (bytes < 0) return system_refusal("read", errno);
    into.append(piece.data(), static_cast<std::size_t>(bytes));
    if (into.size() > most) {
      return probe_error{probe_error_kind::malformed_source, "the program writes too much"};
    }
  }
}

/// Until the program has ended; others may hold its output open.
probe_result<std::string> output_of(const running_program& program, int from, std::size_t most,
                                    monotonic_time deadline) {
  std::string output;
  std::array<pollfd, 2> descriptors{pollfd{from, POLLIN, 0}, pollfd{program.pidfd(), POLLIN, 0}};
  for (;;) {
    if (auto error = wait_for(descriptors, deadline)) return *std::move(error);
    const bool has_ended = descriptors[1].revents != 0;
    const auto more = take_output(from, output, most);
    if (!more) return more.error();
    if (has_ended) return output;
    // A closed pipe would be ready for ever.
    if (!*more) descriptors[0].fd = -1;
  }
}

}  // namespace

probe_result<std::string> run_bounded(const exec_probe_settings& settings, monotonic_time deadline) {
  std::vector<std::string> words{settings.program};
  words.insert(words.end(), settings.arguments.begin(), settings.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LANG=C";
  const std::array<char*, 3> environment{path.data(), language.data(), nullptr};

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_refusal("pipe", errno);
  const file_descriptor from{ends[0]};
  file_descriptor to{ends[1]};
  // Ours alone: the program's end waits as usual.
  ::fcntl(from.get(), F_SETFL, O_NONBLOCK);
  const pid_t pid = ::fork();
  if (pid < 0) return system_refusal("fork", errno);
  if (pid == 0) become(argv.data(), environment.data(), to.get(), settings);
  // Whichever is first: from here on the group is there to be killed.
  ::setpgid(pid, pid);
  to.reset();
  running_program program{pid, file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))}};
  if (program.pidfd() < 0) return system_refusal("pidfd_open", errno);
  auto output = output_of(program, from.get(), settings.output_bytes, deadline);
  const int status = program.end();
  if (!output) return output.error();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  if (WIFEXITED(status)) {
    return probe_error{probe_error_kind::io, "the program ended with " + std::to_string(WEXITSTATUS(status))};
  }
  return probe_error{probe_error_kind::io, "signal " + std::to_string(WTERMSIG(status)) + " ended the program"};
}

}  // namespace cellos
