#include "tests/simulation/witness_checker.hpp"

#include <map>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "runtime/cross_witness/recomputed_log.hpp"

namespace cellos::simulation {

namespace {

/// Of a run: which daemon, counted by its resumptions; the kind; the window.
using place_of_one = std::tuple<std::string, std::uint64_t, std::string, std::string>;

}  // namespace

std::vector<std::string> broken_comparisons(std::string_view log, bool died) {
  std::vector<std::string> broken;
  recomputed_log again;
  std::map<std::string, std::uint64_t> lives;
  std::set<place_of_one> seen;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    again.take(line);
    const bool resumed = line.find("run.v1.resumed") != std::string_view::npos;
    if (!resumed && line.find("undeclared_activity") == std::string_view::npos &&
        line.find("declaration_unwitnessed") == std::string_view::npos) {
      continue;
    }
    const auto event = nlohmann::json::parse(line, nullptr, false);
    const std::string chain = event["chain"];
    if (resumed) {
      ++lives[chain];
    } else if (event["data"].contains("window") &&
               !seen.emplace(chain, lives[chain], event["data"]["kind"], event["data"]["window"]).second) {
      broken.push_back(chain + ": " + event["data"]["kind"].get<std::string>() + " twice in window " +
                       event["data"]["window"].get<std::string>());
    }
  }
  for (const auto& [chain, run] : again.runs()) {
    if (!run.has_beginning()) broken.push_back(chain + ": has no beginning");
    if (run.lines_missing() > 0) broken.push_back(chain + ": lines are missing");
    if (!run.unfounded().empty()) broken.push_back(chain + ": on record and not found by whoever compares once more");
    if (!died && !run.unrecorded().empty()) broken.push_back(chain + ": found once more, and not on record");
  }
  return broken;
}

}  // namespace cellos::simulation
