#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// What proc(5) says of a process. Pure; a process writes its own name into them.
namespace cellos {

/// /proc/PID/stat.
struct process_stat {
  std::uint64_t pid = 0;
  /// `R`, `S`, `D`, `T`, `Z` and so on.
  char state = 0;
  /// CPU time in clock ticks (`sysconf(_SC_CLK_TCK)`).
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  /// In clock ticks since the machine started; with the pid, it names a process for as long as the machine runs.
  std::uint64_t start_ticks = 0;
  /// As wait(2) has it; 0 also where the reader may not know.
  std::uint64_t exit_status = 0;

  bool has_ended() const { return state == 'Z' || state == 'X'; }
};

/// Nothing of what has another form.
std::optional<process_stat> parse_process_stat(std::string_view text);

/// /proc/PID/status, as far as readings have it. What has no memory any more has no sizes.
struct process_status {
  std::uint32_t uid = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_resident_bytes = 0;
  /// 0: none, 1: strict, 2: filter. Firecracker's threads have 2.
  std::uint64_t seccomp_mode = 0;
};

/// Nothing of what has another form, or no uid.
std::optional<process_status> parse_process_status(std::string_view text);

}  // namespace cellos
