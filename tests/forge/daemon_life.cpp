#include "tests/forge/daemon_life.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/configuration/load.hpp"
#include "runtime/daemon/daemon.hpp"
#include "runtime/daemon/inherited_environment.hpp"

namespace cellos::forge {

namespace {

constexpr std::chrono::microseconds between_looks{300};

int live(const std::filesystem::path& file) {
  // The file's text by our own hands: the loader clears 16 MiB before it reads one.
  std::ifstream text{file, std::ios::binary};
  const configuration_outcome read =
      parse_configuration(std::string{std::istreambuf_iterator<char>{text}, {}}, file.native());
  if (const auto* errors = std::get_if<std::vector<configuration_error>>(&read)) {
    for (const configuration_error& error : *errors) std::fprintf(stderr, "%s\n", to_string(error).c_str());
    return exit_unavailable;
  }
  return run_daemon(std::get<configuration>(read), file);
}

[[noreturn]] void be_daemon(const std::filesystem::path& file, const std::filesystem::path& operator_log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // On one core there is one SINK, and with one thread for actors their order is the messages' own: a seed gives the
  // same order of lines again.
  cpu_set_t one_core;
  CPU_ZERO(&one_core);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one_core);
  ::sched_setaffinity(0, sizeof one_core, &one_core);
  const int log = ::open(operator_log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (log < 0 || nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) ::_exit(127);
  // As the program's first step does: a signal must not end it before it is awaited.
  if (const std::string unsafe = secure_inherited_environment(); !unsafe.empty()) ::_exit(127);
  int code = 127;
  try {
    code = live(file);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
  }
  std::fflush(stderr);
  ::_exit(code);
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

bool wait_until(const std::function<bool()>& holds, std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(between_looks);
  }
  return true;
}

daemon_life::daemon_life(const std::filesystem::path& configuration, std::filesystem::path operator_log)
    : operator_log_(std::move(operator_log)) {
  std::filesystem::remove(operator_log_);
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) be_daemon(configuration, operator_log_);
}

daemon_life::~daemon_life() { kill(); }

std::string daemon_life::operator_log() const {
  std::ifstream file{operator_log_, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

bool daemon_life::has_ended() {
  int status = 0;
  if (pid_ < 0) return true;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = -1;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool daemon_life::wait_for_line(std::string_view part, std::size_t nth) {
  bool ended = false;
  const bool in_time = wait_until([&] {
    ended = has_ended();
    return ended || count(operator_log(), part) >= nth;
  });
  return in_time && !ended;
}

bool daemon_life::wait_ready() { return wait_for_line(" daemon_ready ", 1); }

bool daemon_life::reload() {
  if (has_ended()) return false;
  ::kill(pid_, SIGHUP);
  return wait_for_line(" reloaded ", ++reloads_);
}

int daemon_life::stop() {
  if (!has_ended()) ::kill(pid_, SIGTERM);
  if (wait_until([this] { return has_ended(); })) return exit_code_;
  kill();
  return -1;
}

void daemon_life::kill() {
  if (has_ended()) return;
  int status = 0;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

}  // namespace cellos::forge
