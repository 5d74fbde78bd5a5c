#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/signing/verification_key.hpp"
#include "runtime/verification/line_result.hpp"
#include "runtime/verification/log_files.hpp"
#include "runtime/verification/report.hpp"

namespace cellos::verification {

/// A line of a collector's own chain that says what a host's log held.
struct testimony {
  witness_statement said;
  std::string file;
  std::uint64_t line = 0;
  /// Whose signature is on it; null where signatures are not looked at.
  const verification_key* key = nullptr;
};

/// Whether the logs hold what collectors saw of them. What does not agree is a finding of `report`, which is of these
/// logs; its `hosts` say whose keys sign for whom and what retention took. `partial`: logs may be absent, and end
/// early.
///
/// The line that ends at a witnessed place fixes, by the digests of its chain, all before it in that chain; the digest
/// of the segment's bytes fixes what other chains say there.
void compare(const verified_logs& logs, std::vector<testimony> testimonies, bool partial, verification_report& report);

}  // namespace cellos::verification
