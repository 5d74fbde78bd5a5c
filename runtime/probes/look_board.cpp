#include "runtime/probes/look_board.hpp"

#include <utility>

namespace cellos {

void look_board::begin(const std::string& cell_id, const std::string& run_id) {
  const std::lock_guard hold{mutex_};
  entry& cell = cells_[cell_id];
  if (cell.run_id != run_id) cell = {run_id, {}, 0, {}};
  cell.probes.clear();
}

void look_board::end(const std::string& cell_id) {
  const std::lock_guard hold{mutex_};
  cells_.erase(cell_id);
}

look_board::entry* look_board::of_run(std::string_view cell_id, std::string_view run_id) {
  const auto cell = cells_.find(cell_id);
  return cell == cells_.end() || cell->second.run_id != run_id ? nullptr : &cell->second;
}

void look_board::read(const host_stamp& run, const probe_reading_ptr& reading, monotonic_time now) {
  const std::lock_guard hold{mutex_};
  entry* cell = of_run(run.cell_id, run.run_id);
  if (cell == nullptr) return;
  const std::size_t bytes = reading->inputs.size() + reading->output.size();
  cell->probes[reading->probe_source] = {reading->probe_source, now, bytes > longest_reading ? nullptr : reading, bytes,
                                         std::nullopt};
}

void look_board::failed(const host_stamp& run, host_probe probe, probe_error error) {
  const std::lock_guard hold{mutex_};
  entry* cell = of_run(run.cell_id, run.run_id);
  if (cell == nullptr) return;
  probe_look& look = cell->probes[probe];
  look.probe = probe;
  look.failing = std::move(error);
}

void look_board::found(std::string_view cell_id, std::string_view run_id, const recorded_contradiction& contradiction) {
  const std::lock_guard hold{mutex_};
  entry* cell = of_run(cell_id, run_id);
  if (cell == nullptr) return;
  ++cell->contradictions;
  cell->last.push_front(contradiction);
  if (cell->last.size() > most_contradictions) cell->last.pop_back();
}

std::optional<cell_look> look_board::of(std::string_view cell_id) const {
  const std::lock_guard hold{mutex_};
  const auto cell = cells_.find(cell_id);
  if (cell == cells_.end()) return std::nullopt;
  cell_look look;
  for (const auto& [probe, each] : cell->second.probes) look.probes.push_back(each);
  look.contradictions = cell->second.contradictions;
  look.last_contradictions.assign(cell->second.last.begin(), cell->second.last.end());
  return look;
}

}  // namespace cellos
