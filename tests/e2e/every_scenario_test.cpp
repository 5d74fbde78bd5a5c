#include "runtime/guest_sim/scenarios.hpp"
#include "tests/support/memory_bound.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE every_scenario
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::size_t cell_count = 50;

struct played_cell {
  cell_settings cell;
  simulation plays;
  bool falls_silent = false;
};

/// Enough to fill buffers; a second or two where the scenario sets its own pace.
std::uint64_t frames_of(std::string_view scenario) {
  if (scenario == "slow-drip") return 250;
  if (scenario == "burst" || scenario == "flood") return 30'000;
  if (scenario == "truncated" || scenario == "oversized" || scenario == "reconnecting") return 3'000;
  return 10'000;
}

/// Every scenario in turn, with every seed once; half of a scenario's cells speak 1.1.
played_cell cell_number(std::size_t index) {
  const auto known = guest_sim::scenarios();
  const guest_sim::scenario& scenario = known[index % known.size()];
  played_cell out;
  out.cell.id = "c" + std::to_string(index);
  out.plays.scenario = scenario.name;
  out.plays.frames = frames_of(scenario.name);
  out.plays.seed = index + 1;
  const bool counts_losses = scenario.needs_loss_counters || index / known.size() % 2 == 1;
  out.plays.content_version = counts_losses ? "1.1" : "1.0";
  out.falls_silent = scenario.falls_silent;
  if (scenario.falls_silent) {
    out.cell.keepalive_window = "500ms";
    out.plays.further = {"--hold", "1500ms", "--resume"};
  }
  return out;
}

}  // namespace

CAF_TEST(fifty_cells_of_every_scenario_get_exactly_what_is_theirs) {
  std::vector<played_cell> all;
  daemon_settings settings;
  for (std::size_t i = 0; i < cell_count; ++i) {
    all.push_back(cell_number(i));
    settings.cells.push_back(all.back().cell);
  }
  const daemon_home home{settings};
  auto daemon = daemon_process::ready(home);
  std::vector<simulator> guests;
  for (played_cell& each : all) {
    each.plays.socket = home.socket_of(each.cell);
    guests.emplace_back(each.plays);
  }
  std::vector<sent_report> sent;
  sent.reserve(cell_count);
  for (simulator& guest : guests) sent.push_back(guest.finish());
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_LESS(daemon.peak_resident_bytes(), most_resident_bytes);
  CAF_MESSAGE("at most " << daemon.peak_resident_bytes() << " bytes resident");

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (std::size_t i = 0; i < cell_count; ++i) {
    CAF_MESSAGE(all[i].cell.id << " plays " << all[i].plays.scenario << " in " << all[i].plays.content_version);
    const run_record& logged = runs.of(all[i].cell.id);
    CAF_CHECK_EQUAL(joined(differences(logged, sent[i])), "");
    CAF_CHECK_EQUAL(logged.silences, all[i].falls_silent ? 1u : 0u);
    CAF_CHECK_EQUAL(logged.resumptions, all[i].falls_silent ? 1u : 0u);
  }
}
