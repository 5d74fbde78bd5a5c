#pragma once

namespace cellos {

/// Exit codes of every program here; scripts depend on them.
enum exit_code : int {
  exit_success = 0,
  /// A check or verification found something, or the daemon stopped without draining every cell.
  exit_failure_found = 1,
  exit_usage = 2,
  /// The daemon could not start, or could not be reached; or what a program had to say could not be written.
  exit_unavailable = 3,
};

}  // namespace cellos
