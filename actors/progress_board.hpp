#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/cell_progress.hpp"

namespace cellos {

/// A cell on the board, as it stands at one moment.
struct cell_on_board {
  std::string id;
  cell_counts counts;
  /// Of this cell's earlier runs under the same id.
  run_totals earlier;

  run_totals of_all_runs() const {
    run_totals all = counts.totals;
    return all += earlier;
  }
};

/// Everything counted since the daemon began: each frame is in `cells` or in `ended`, never in both.
struct host_counts {
  std::vector<cell_on_board> cells;
  /// Of cells that are gone; the members that describe a cell's state stay at their defaults.
  cell_counts ended;
};

/// Every cell's progress, for scrapes and probes: read without a message, so that they cost the actors nothing, however
/// many come. Thread-safe; a reading keeps the HOST SUPERVISOR from adding or removing a cell, and nobody else.
class progress_board {
 public:
  void add(const std::string& cell_id, cell_progress_ptr progress);
  /// Adds what the cell counted to that of cells that are gone. Does nothing if the id is not, or no longer, this
  /// one's.
  void remove(const std::string& cell_id, const cell_progress_ptr& progress);

  host_counts read() const;
  /// What the host saw of this cell; empty if there is no such cell.
  host_sighting seen(std::string_view cell_id) const;
  /// Which of these cells have no socket that accepts; how many cells there are.
  struct absence {
    std::vector<std::string> missing;
    /// Of all cells, those whose socket's file is gone.
    std::vector<std::string> lost;
    std::size_t cells = 0;
  };
  absence absent_among(const std::vector<std::string>& cell_ids) const;

 private:
  struct entry {
    cell_progress_ptr progress;
    run_totals earlier;
  };
  /// Cells that are gone and may come back under the same id, the latest last.
  using gone_cells = std::list<std::pair<std::string, run_totals>>;

  run_totals take_earlier(const std::string& cell_id);
  void keep_for_later(const std::string& cell_id, const run_totals& of_all_runs);

  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> cells_;
  cell_counts ended_;
  gone_cells gone_;
  std::map<std::string, gone_cells::iterator, std::less<>> gone_by_id_;
};

}  // namespace cellos
