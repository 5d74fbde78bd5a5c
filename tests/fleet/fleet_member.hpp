#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"

namespace cellos::fleet {

using steady_time = std::chrono::steady_clock::time_point;

/// A host or a collector: a real daemon, in one process after the other. Each is the child of the thread that starts it
/// and must not outlive that thread.
class fleet_member {
 public:
  /// `configuration` is written to a file in `dir`, which is made.
  fleet_member(std::string name, std::filesystem::path dir, std::string_view configuration);

  const std::string& name() const { return name_; }
  const std::filesystem::path& dir() const { return dir_; }

  /// A new process; it is waited for by await_ready() alone.
  void start();
  void await_ready() const;
  bool runs() const { return process_.has_value(); }
  /// SIGKILL, whatever it is about. It stays down until `back_at`.
  void kill(steady_time back_at);
  /// Starts it if it is down and its time has come.
  void come_back(steady_time now);
  /// SIGTERM, and what came of it.
  void stop();

  /// Lines about this event on the operator's log, over all processes.
  std::uint64_t noted(std::string_view event) const;
  /// Of them, those of the process that runs or ended last.
  std::uint64_t noted_last(std::string_view event) const;
  std::uint64_t kills() const { return kills_; }
  /// Of them, those before it had said that it is ready.
  std::uint64_t kills_in_boot() const { return kills_in_boot_; }
  /// What went wrong with its processes; none if they ended as they should.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void end(int expected);

  const std::string name_;
  const std::filesystem::path dir_;
  std::optional<test::process> process_;
  steady_time back_at_{};
  std::string said_before_;
  std::string said_last_;
  std::uint64_t kills_ = 0;
  std::uint64_t kills_in_boot_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace cellos::fleet
