#pragma once

#include <sys/types.h>
#include <unistd.h>

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

/// User and system time.
inline double cpu_seconds(pid_t process) {
  const std::string stat = content_of("/proc/" + std::to_string(process) + "/stat");
  // The name before may have blanks.
  std::istringstream fields{stat.substr(stat.rfind(')') + 2)};
  constexpr int before_times = 11;
  std::string skipped;
  for (int i = 0; i < before_times; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace cellos::test
