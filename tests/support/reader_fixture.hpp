#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/privileged_reader.hpp"
#include "runtime/probes/reader_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_status.hpp"

namespace cellos::test {

inline monotonic_time in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

inline bool may_have_reader() {
  return (present_capabilities().permitted & probe_capabilities()) == probe_capabilities();
}

/// The real one. May be had, or this throws.
inline std::shared_ptr<privileged_reader> started_reader() {
  auto started = privileged_reader::start(program_path("cellos-telemetryd"));
  if (const auto* refused = std::get_if<std::string>(&started)) throw std::runtime_error{*refused};
  return std::get<std::shared_ptr<privileged_reader>>(started);
}

/// A process that has ended with this code, and is not waited for before the object goes.
class ended_child {
 public:
  explicit ended_child(int code) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(code);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    directory_ = file_descriptor{::open(proc_path(pid_, "").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  }
  ended_child(const ended_child&) = delete;
  ended_child& operator=(const ended_child&) = delete;
  ~ended_child() { ::waitpid(pid_, nullptr, 0); }
  int directory() const { return directory_.get(); }

 private:
  pid_t pid_;
  file_descriptor directory_;
};

}  // namespace cellos::test
