#include "tests/support/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/support/captured_output.hpp"

namespace cellos::test {

namespace {

constexpr int could_not_run = 127;

struct pipe_ends {
  file_descriptor read;
  file_descriptor write;
};

pipe_ends new_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::system_category(), "pipe2"};
  return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

bool become(uid_t uid) {
  if (uid == ::geteuid()) return true;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(uid, uid, uid) == 0 && ::setresuid(uid, uid, uid) == 0;
}

/// Between fork and exec of a process with threads: async-signal-safe calls only.
[[noreturn]] void run_child(char* const* argv, int in, int out, int err, const command& what) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  // After the change of user, which would forget it.
  if ((!what.uid || become(*what.uid)) && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) {
    if (what.before_exec) what.before_exec();
    ::execv(argv[0], argv);
  }
  ::_exit(could_not_run);
}

std::string last_path_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

process::process(const command& what) : name_(last_path_component(what.program)) {
  std::vector<std::string> words{what.program};
  words.insert(words.end(), what.arguments.begin(), what.arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const file_descriptor nothing{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  pipe_ends out = new_pipe();
  pipe_ends err = new_pipe();

  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error{errno, std::system_category(), "fork"};
  if (pid_ == 0) run_child(argv.data(), nothing.get(), out.write.get(), err.write.get(), what);
  end_ = file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  if (!end_) throw std::system_error{errno, std::system_category(), "pidfd_open"};
  output_ = std::make_unique<captured_output>(std::move(out.read), std::move(err.read));
}

process::process(process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      end_(std::move(other.end_)),
      output_(std::move(other.output_)),
      exit_code_(other.exit_code_),
      peak_resident_bytes_(other.peak_resident_bytes_) {}

process::~process() {
  if (pid_ < 0 || ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void process::send(int signal) const {
  if (ended()) throw std::runtime_error(story("has ended and takes no signal"));
  if (::kill(pid_, signal) != 0) throw std::system_error{errno, std::system_category(), "kill"};
}

void process::freeze() const {
  send(SIGSTOP);
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status)) {
    throw std::runtime_error(story("cannot be stopped"));
  }
}

void process::thaw() const { send(SIGCONT); }

int process::wait(std::chrono::nanoseconds limit) {
  if (exit_code_) return *exit_code_;
  pollfd watched{end_.get(), POLLIN, 0};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  if (::poll(&watched, 1, static_cast<int>(milliseconds)) != 1) throw std::runtime_error(story("did not end in time"));
  int status = 0;
  rusage used{};
  if (::wait4(pid_, &status, 0, &used) != pid_) throw std::system_error{errno, std::system_category(), "wait4"};
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  peak_resident_bytes_ = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  if (!output_->wait_for_end(limit)) throw std::runtime_error(story("left its output open"));
  return *exit_code_;
}

std::string process::out() const { return output_->out(); }
std::string process::err() const { return output_->err(); }

std::string process::wait_for_line(std::string_view text, std::size_t nth, std::chrono::nanoseconds limit) const {
  std::string found;
  const auto look = [&](std::string_view written) {
    std::size_t matches = 0;
    for (const std::string_view line : lines_of(written)) {
      if (line.find(text) == std::string_view::npos || ++matches < nth) continue;
      found = line;
      return true;
    }
    return false;
  };
  if (!output_->wait_for_err(look, limit)) {
    throw std::runtime_error(story("did not write (time " + std::to_string(nth) + ") \"" + std::string{text} + '"'));
  }
  return found;
}

std::string process::story(const std::string& problem) const {
  return name_ + " " + problem + "; its stderr:\n" + output_->err();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::size_t count_lines(std::string_view text, std::string_view part) {
  const auto lines = lines_of(text);
  return static_cast<std::size_t>(std::count_if(
      lines.begin(), lines.end(), [&](std::string_view line) { return line.find(part) != std::string_view::npos; }));
}

std::string program_path(std::string_view name) { return std::string{CELLOS_BIN_DIR "/"} + std::string{name}; }

}  // namespace cellos::test
