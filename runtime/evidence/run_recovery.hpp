#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/recovered_run.hpp"

namespace cellos {

/// Folds the evidence log, line by line and in any number of segments, into the runs it leaves open.
///
/// Pure. Relies on the form our own lines have; a line of any other form is counted and passed over.
class run_recovery {
 public:
  void take(std::string_view line);

  /// Runs without `run.v1.ended`, each where its chain goes on.
  std::vector<recovered_run> open_runs() const;
  std::uint64_t lines() const { return lines_; }
  std::uint64_t foreign_lines() const { return foreign_lines_; }

 private:
  void take_declaration(recovered_run& run) const;
  void take_event(std::map<std::string, recovered_run, std::less<>>::iterator run, std::string_view type,
                  std::string_view line);

  std::map<std::string, recovered_run, std::less<>> open_;
  /// The chain of the line before; runs of lines share one.
  std::map<std::string, recovered_run, std::less<>>::iterator last_ = open_.end();
  std::uint64_t lines_ = 0;
  std::uint64_t foreign_lines_ = 0;
};

struct recovered_log {
  std::vector<recovered_run> open_runs;
  /// Empty, or why the log could not be read to its end.
  std::string failure;
};

/// Reads every segment in `dir`.
recovered_log recover_runs(const std::filesystem::path& dir);

}  // namespace cellos
