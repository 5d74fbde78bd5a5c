#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

class captured_output;

struct command {
  /// Path; nothing is searched for.
  std::string program{};
  std::vector<std::string> arguments{};
  /// Runs as this user, without groups. Only root may ask for another than its own.
  std::optional<uid_t> uid{};
  /// Called in the child, last before it becomes the program: what that inherits. Async-signal-safe calls only.
  std::function<void()> before_exec{};
};

/// A child process whose output is read as it comes, so that it never waits for us. Killed with the object, and when
/// this process ends.
///
/// What does not happen in time, and an end that comes too early, is an exception that quotes the child's stderr.
class process {
 public:
  explicit process(const command& what);
  process(process&&) noexcept;
  process& operator=(process&&) = delete;
  ~process();

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  /// SIGSTOP; none of its threads runs when this returns.
  void freeze() const;
  void thaw() const;

  /// The exit code, or 128 and the number of the signal that ended it. All output is there afterwards.
  int wait(std::chrono::nanoseconds limit = test_timeout);
  bool ended() const { return exit_code_.has_value(); }

  /// What it has written until now.
  std::string out() const;
  std::string err() const;

  /// The first whole line of stderr with `text` in it, or the n-th.
  std::string wait_for_line(std::string_view text, std::size_t nth = 1,
                            std::chrono::nanoseconds limit = test_timeout) const;

  /// The most memory it ever had resident, 0 while it runs. The kernel counts in what this process had when it forked.
  std::uint64_t peak_resident_bytes() const { return peak_resident_bytes_; }

 private:
  std::string story(const std::string& problem) const;

  std::string name_;
  pid_t pid_ = -1;
  /// Readable once the child has ended.
  file_descriptor end_;
  std::unique_ptr<captured_output> output_;
  std::optional<int> exit_code_;
  std::uint64_t peak_resident_bytes_ = 0;
};

/// Every whole line of `text`, without its newline.
std::vector<std::string_view> lines_of(std::string_view text);

/// How many whole lines of `text` have `part` in them.
std::size_t count_lines(std::string_view text, std::string_view part);

/// A program that this build made.
std::string program_path(std::string_view name);

}  // namespace cellos::test
