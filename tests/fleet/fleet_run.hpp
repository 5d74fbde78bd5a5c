#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cellos::fleet {

struct fleet_options {
  std::size_t hosts = 3;
  std::size_t collectors = 2;
  /// Of each host, a guest each.
  std::size_t cells = 20;
  /// Declarations that the guests of one host send, over all its cells.
  std::uint64_t frames = 100'000;
  /// SIGKILLs over all processes.
  std::uint64_t kills = 30;
  std::uint64_t seed = 1;
  /// Declarations a second of each host's guests together.
  double rate = 4000;
  /// Configurations, logs and copies are made below; the caller removes them.
  std::filesystem::path dir;
  /// Says how far it is, on stderr.
  bool progress = false;
};

/// What came of it, and what was wrong.
struct fleet_report {
  std::uint64_t sent = 0;
  /// Of them, those that are lines of their hosts' logs. The rest was in processes that were killed.
  std::uint64_t logged = 0;
  std::uint64_t log_lines = 0;
  std::uint64_t log_bytes = 0;
  /// Over all collectors. More than `log_lines` where collectors have the same lines.
  std::uint64_t copied_bytes = 0;
  std::uint64_t pieces = 0;
  std::uint64_t kills_of_hosts = 0;
  std::uint64_t kills_of_collectors = 0;
  std::uint64_t kills_in_boot = 0;
  std::uint64_t guests_returned = 0;
  std::uint64_t collectors_reached = 0;
  double seconds = 0;
  /// Each a sentence; none if all is as it must be.
  std::vector<std::string> faults;
};

/// Hosts under load and collectors, all real daemons that are killed again and again; see docs/testing.md. Seeds decide
/// what guests say, who is killed after how many frames, and for how long; the rest is the machine's.
///
/// At the end each collector must have each line at most once, all of them together every line of every host, byte for
/// byte, and `verify --finished` must find nothing in the logs, nor in what was put together from the copies. Throws
/// only if it could not be begun.
fleet_report run_fleet(const fleet_options& options);

std::string to_text(const fleet_report& report);

}  // namespace cellos::fleet
