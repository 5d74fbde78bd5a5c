#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/cross_witness/recomputed_run.hpp"

namespace cellos {

/// All runs of a log, each compared once more. Memory grows with the number of runs, and of contradictions; what
/// comparing itself needs, a run gives back where it ends.
class recomputed_log {
 public:
  using runs_by_chain = std::map<std::string, recomputed_run, std::less<>>;

  /// A line without its newline. One that is no event of a run says nothing.
  void take(std::string_view line);
  const runs_by_chain& runs() const { return runs_; }

 private:
  runs_by_chain runs_;
};

}  // namespace cellos
