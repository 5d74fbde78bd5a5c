// ctest: TIMEOUT 300
#define CAF_SUITE scripted_cells
#include "tests/simulation/scripted_cells.hpp"

#include <caf/test/dsl.hpp>

#include "runtime/cross_witness/recomputed_log.hpp"
#include "tests/simulation/log_checker.hpp"
#include "tests/simulation/simulated_key.hpp"

using namespace cellos;
using namespace cellos::simulation;

namespace {

/// `cellos-sim` goes through more.
constexpr std::uint64_t seeds_here = 100;

std::uint64_t found_at(planted_bug bug) {
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    if (!simulate_scripted_cells(seed, bug).violations.empty()) return seed;
  }
  return 0;
}

recomputed_log recomputed(std::string_view log) {
  recomputed_log again;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(line.size() + 1);
    again.take(line);
  }
  return again;
}

std::size_t differences(const recomputed_log& compared) {
  std::size_t sum = 0;
  for (const auto& [chain, run] : compared.runs()) sum += run.unrecorded().size() + run.unfounded().size();
  return sum;
}

/// One of an undeclaring cell's, whatever it is counted by.
std::size_t a_reading_in(const std::string& log) {
  const std::size_t begin = log.find("traffic-without-declarations", log.size() / 2);
  std::size_t at = log.find(R"("packets":")", begin);
  while (at != std::string::npos && log.rfind("traffic-without-declarations", at) < log.rfind('\n', at)) {
    at = log.find(R"("packets":")", at + 1);
  }
  return at;
}

}  // namespace

CAF_TEST(each difference is on record once a window and none of an honest cell) {
  std::uint64_t contradictions = 0;
  for (std::uint64_t seed = 1; seed <= seeds_here; ++seed) {
    const scripted_outcome result = simulate_scripted_cells(seed);
    for (const std::string& violation : result.violations) CAF_ERROR("seed " << seed << ": " << violation);
    contradictions += result.contradictions;
  }
  CAF_CHECK_GREATER(contradictions, seeds_here * 10);
}

CAF_TEST(a contradiction that is found twice is noticed) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::contradiction_doubled), 0u);
}

CAF_TEST(a contradiction of another window is noticed) {
  CAF_CHECK_NOT_EQUAL(found_at(planted_bug::contradiction_misplaced), 0u);
}

CAF_TEST(a reading that was changed changes what is found and verify names its line) {
  std::string log;
  std::size_t at = std::string::npos;
  for (std::uint64_t seed = 1; at == std::string::npos; ++seed) {
    CAF_REQUIRE(seed <= seeds_here);
    log = simulate_scripted_cells(seed, planted_bug::none, true).log;
    at = a_reading_in(log);
  }
  CAF_CHECK(broken_seals(log, the_public_key()).empty());
  CAF_CHECK_EQUAL(differences(recomputed(log)), 0u);
  // Ten times what was counted.
  std::string changed = log;
  changed.insert(changed.find('"', at + 11), "0");
  CAF_CHECK_GREATER(differences(recomputed(changed)), 0u);
  const std::size_t begin = changed.rfind('\n', at) + 1;
  const std::string_view line{changed.data() + begin, changed.find('\n', at) - begin};
  const std::string sequence = std::to_string(parse_sequence(parse_event_line(line).value().sequence).value());
  const auto found = broken_seals(changed, the_public_key());
  CAF_REQUIRE(!found.empty());
  CAF_CHECK_NOT_EQUAL(found.front().find(" " + sequence + ": altered"), std::string::npos);
}

CAF_TEST(a copy beside the log is passed over and lines that are missing are counted) {
  const std::string log = simulate_scripted_cells(1).log;
  const auto found = [](const recomputed_log& compared) {
    std::size_t sum = 0;
    for (const auto& [chain, run] : compared.runs()) sum += run.found().size();
    return sum;
  };
  const recomputed_log once = recomputed(log);
  const recomputed_log twice = recomputed(log + log);
  CAF_CHECK_GREATER(found(once), 0u);
  CAF_CHECK_EQUAL(found(twice), found(once));
  CAF_CHECK_EQUAL(differences(twice), 0u);
  std::string cut = log;
  const std::size_t begin = cut.rfind('\n', cut.find("observability.host.probe.v1.cgroup", cut.size() / 2)) + 1;
  cut.erase(begin, cut.find('\n', begin) + 1 - begin);
  std::size_t incomplete = 0;
  const recomputed_log with_gap = recomputed(cut);
  for (const auto& [chain, run] : with_gap.runs()) {
    incomplete += run.is_whole() ? 0 : 1;
    CAF_CHECK_EQUAL(run.lines_missing(), run.is_whole() ? 0u : 1u);
  }
  CAF_CHECK_EQUAL(incomplete, 1u);
}
