#include "actors/progress_board.hpp"

#include <utility>

namespace cellos {

namespace {

/// A cell that comes back after so many others ended counts from zero again. Chosen here; about 5 MB.
constexpr std::size_t most_gone_cells = 16 * 1024;

}  // namespace

void progress_board::add(const std::string& cell_id, cell_progress_ptr progress) {
  const std::lock_guard lock{mutex_};
  cells_.insert_or_assign(cell_id, entry{std::move(progress), take_earlier(cell_id)});
}

void progress_board::remove(const std::string& cell_id, const cell_progress_ptr& progress) {
  const std::lock_guard lock{mutex_};
  const auto found = cells_.find(cell_id);
  if (found == cells_.end() || found->second.progress != progress) return;
  const cell_counts last = progress->read();
  ended_.totals += last.totals;
  ended_.connections_refused += last.connections_refused;
  ended_.bytes_received += last.bytes_received;
  run_totals all = last.totals;
  keep_for_later(cell_id, all += found->second.earlier);
  cells_.erase(found);
}

host_sighting progress_board::seen(std::string_view cell_id) const {
  const std::lock_guard lock{mutex_};
  const auto found = cells_.find(cell_id);
  return found == cells_.end() ? host_sighting{} : found->second.progress->seen();
}

host_counts progress_board::read() const {
  const std::lock_guard lock{mutex_};
  host_counts now;
  now.cells.reserve(cells_.size());
  for (const auto& [id, known] : cells_) now.cells.push_back({id, known.progress->read(), known.earlier});
  now.ended = ended_;
  return now;
}

progress_board::absence progress_board::absent_among(const std::vector<std::string>& cell_ids) const {
  const std::lock_guard lock{mutex_};
  absence found;
  found.cells = cells_.size();
  for (const auto& [id, known] : cells_) {
    if (!known.progress->read().socket_in_place) found.lost.push_back(id);
  }
  for (const std::string& id : cell_ids) {
    const auto known = cells_.find(id);
    if (known == cells_.end() || !known->second.progress->read().bound) found.missing.push_back(id);
  }
  return found;
}

run_totals progress_board::take_earlier(const std::string& cell_id) {
  const auto known = gone_by_id_.find(cell_id);
  if (known == gone_by_id_.end()) return {};
  const run_totals earlier = known->second->second;
  gone_.erase(known->second);
  gone_by_id_.erase(known);
  return earlier;
}

void progress_board::keep_for_later(const std::string& cell_id, const run_totals& of_all_runs) {
  if (of_all_runs == run_totals{}) return;
  gone_.emplace_back(cell_id, of_all_runs);
  gone_by_id_.insert_or_assign(cell_id, std::prev(gone_.end()));
  if (gone_.size() <= most_gone_cells) return;
  gone_by_id_.erase(gone_.front().first);
  gone_.pop_front();
}

}  // namespace cellos
