#include "actors/recovered_runs.hpp"

#include <algorithm>
#include <utility>

namespace cellos {

recovered_runs::recovered_runs(std::vector<recovered_run> open) {
  for (recovered_run& run : open) put_back(std::move(run));
}

std::optional<recovered_run> recovered_runs::take(const host_stamp& run) {
  const auto [first, last] = by_cell_.equal_range(run.cell_id);
  const auto found = std::find_if(first, last, [&](const auto& open) { return open.second.attribution == run; });
  if (found == last) return std::nullopt;
  std::optional<recovered_run> taken{std::move(found->second)};
  by_cell_.erase(found);
  return taken;
}

void recovered_runs::put_back(recovered_run run) {
  std::string cell = run.attribution.cell_id;
  by_cell_.emplace(std::move(cell), std::move(run));
}

std::vector<recovered_run> recovered_runs::all() const {
  std::vector<recovered_run> runs;
  runs.reserve(by_cell_.size());
  for (const auto& [cell, run] : by_cell_) runs.push_back(run);
  return runs;
}

}  // namespace cellos
