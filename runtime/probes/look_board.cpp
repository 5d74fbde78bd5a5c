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

void look_board::read(std::string_view cell_id, const probe_reading_ptr& reading, monotonic_time now) {
  const std::lock_guard hold{mutex_};
  const auto cell = cells_.find(cell_id);
  if (cell == cells_.end()) return;
  const std::size_t bytes = reading->inputs.size() + reading->output.size();
  cell->second.probes[reading->probe_source] = {reading->probe_source, now, bytes > longest_reading ? nullptr : reading,
                                                bytes, std::nullopt};
}

void look_board::failed(std::string_view cell_id, host_probe probe, probe_error error) {
  const std::lock_guard hold{mutex_};
  const auto cell = cells_.find(cell_id);
  if (cell == cells_.end()) return;
  probe_look& look = cell->second.probes[probe];
  look.probe = probe;
  look.failing = std::move(error);
}

void look_board::found(std::string_view cell_id, std::string_view run_id, const recorded_contradiction& contradiction) {
  const std::lock_guard hold{mutex_};
  const auto cell = cells_.find(cell_id);
  if (cell == cells_.end() || cell->second.run_id != run_id) return;
  ++cell->second.contradictions;
  cell->second.last.push_front(contradiction);
  if (cell->second.last.size() > most_contradictions) cell->second.last.pop_back();
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
