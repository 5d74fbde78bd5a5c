#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/verification/report.hpp"
#include "tests/forge/evidence_image.hpp"
#include "tests/forge/forge_home.hpp"

namespace cellos::forge {

/// What a host wrote in one or more lives, and all that was to be seen of its directory meanwhile.
struct history {
  std::uint64_t seed = 0;
  host_plan plan;
  /// At moments when nothing was under way: empty first, as it is now last.
  std::vector<evidence_image> states;
  /// Stopped in order, not killed.
  bool stopped = false;
  /// So little room that segments were removed.
  bool forgetful = false;
  /// Of `verify --json` on the last state.
  verification::earlier_ends report;
  /// What happened, step by step.
  std::vector<std::string> story;
  /// What should not have; empty.
  std::vector<std::string> problems;

  const evidence_image& last() const { return states.back(); }
};

/// Lets real daemons live in `home`. The same seed gives the same events but for their times.
history make_history(forge_home& home, std::uint64_t seed, const std::string& host_id = attacked_host);

/// Findings, as sentences; empty where all is clean.
std::vector<std::string> sentences_of(const verification::verification_report& report);

}  // namespace cellos::forge
