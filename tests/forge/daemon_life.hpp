#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace cellos::forge {

/// How long a daemon may take for anything before it counts as hung. Chosen here.
inline constexpr std::chrono::seconds daemon_timeout{30};

/// Asks until `holds` does; false if it does not in time.
bool wait_until(const std::function<bool()>& holds, std::chrono::nanoseconds timeout = daemon_timeout);

/// One life of the whole daemon, from its first boot step to its exit code, in a process that is forked and executes
/// nothing else: a start costs milliseconds. Only for a process with one thread. Killed with the object.
class daemon_life {
 public:
  daemon_life(const std::filesystem::path& configuration, std::filesystem::path operator_log);
  daemon_life(const daemon_life&) = delete;
  daemon_life& operator=(const daemon_life&) = delete;
  ~daemon_life();

  /// False if it ended instead, or hangs.
  bool wait_ready();
  /// False if it ended instead, or hangs.
  bool reload();
  /// SIGTERM; the exit code, 128 and the signal's number, or -1 where it hangs.
  int stop();
  void kill();

  bool has_ended();
  /// After its end.
  int exit_code() const { return exit_code_; }
  std::string operator_log() const;

 private:
  bool wait_for_line(std::string_view part, std::size_t nth);

  pid_t pid_ = -1;
  int exit_code_ = -1;
  std::filesystem::path operator_log_;
  std::size_t reloads_ = 0;
};

}  // namespace cellos::forge
