#pragma once

#include <sys/types.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace cellos::test {

inline std::string proc_path(pid_t pid, const std::string& file) { return "/proc/" + std::to_string(pid) + "/" + file; }

/// What /proc/PID/status says behind `field:`; empty where there is none.
inline std::string status_of(pid_t pid, const std::string& field) {
  std::istringstream lines{content_of(proc_path(pid, "status"))};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field + ":")) continue;
    const auto begin = line.find_first_not_of(" \t", field.size() + 1);
    return begin == line.npos ? std::string{} : line.substr(begin);
  }
  return {};
}

/// `CapPrm` and so on.
inline std::uint64_t capabilities_of(pid_t pid, const std::string& set) {
  return std::stoull(status_of(pid, set), nullptr, 16);
}

/// Of its first thread.
inline std::vector<pid_t> children_of(pid_t pid) {
  std::istringstream numbers{content_of(proc_path(pid, "task/" + std::to_string(pid) + "/children"))};
  std::vector<pid_t> children;
  for (pid_t each = 0; numbers >> each;) children.push_back(each);
  return children;
}

inline bool is_running(pid_t pid) {
  const std::string state = status_of(pid, "State");
  return !state.empty() && state.front() != 'Z' && state.front() != 'X';
}

}  // namespace cellos::test
