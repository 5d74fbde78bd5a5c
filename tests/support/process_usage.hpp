#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/files.hpp"

/// What a process that runs has used, as the kernel says.
namespace cellos::test {

/// A line of its status that is in kB, `VmRSS:` or `VmHWM:`.
inline std::uint64_t status_bytes(pid_t process, std::string_view name) {
  std::istringstream status{content_of("/proc/" + std::to_string(process) + "/status")};
  constexpr std::uint64_t kilobyte = 1024;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * kilobyte;
  }
  throw std::runtime_error{"no memory of process " + std::to_string(process)};
}

/// User and system time of all its threads, ended ones too.
inline double cpu_seconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    throw std::runtime_error{"no CPU time of process " + std::to_string(process)};
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace cellos::test
