#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cellos::simulation {

/// What a log breaks of what is promised of contradictions: of a run, as long as a daemon lives, at most one of a kind
/// and window is on record, and whoever compares once more comes to the same.
///
/// `died`: a daemon did, and what its last append before found may not be on record.
std::vector<std::string> broken_comparisons(std::string_view log, bool died);

}  // namespace cellos::simulation
