#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "actors/events.hpp"
#include "actors/ports.hpp"
#include "messages/clock.hpp"
#include "runtime/probes/look_board.hpp"
#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/probe_runner.hpp"
#include "runtime/probes/probe_settings.hpp"

namespace cellos {

class peer_probe;

/// The probes of a host: which sources each cell has, who connected it, what was seen of it last. Reads on a
/// probe_runner's threads. `host.process` is read of every cell that somebody has connected, without configuration; all
/// else as the cell is specified.
class host_probe_service final : public host_probes {
 public:
  /// `clock` and `events` outlive it. `by`: what probes read with where that needs more than a daemon has to have.
  host_probe_service(const probe_settings& settings, const wall_clock& clock, operator_events& events,
                     privileged_reads_ptr by = own_reads());
  /// Nothing is delivered afterwards.
  ~host_probe_service() override;

  void attach(std::uint64_t generation, delivery deliver) override;
  void watch(const host_stamp_ptr& run, const cell_specification& cell, sighting_board_ptr board) override;
  void unwatch(const host_stamp_ptr& run) override;

  /// Somebody connected the cell's socket: the VMM. Any thread; never waits. Whoever has connected before the cell is
  /// watched is remembered until then.
  void connected(const cell_specification& cell, int connection);
  /// A connection of it ended: its VMM may have.
  void disconnected(const cell_specification& cell);

  /// What was seen of the cell last; nothing of one that is not watched. Any thread.
  std::optional<cell_look> look_of(const std::string& cell_id) const { return looks_.of(cell_id); }
  /// What a run's declarations and readings disagree about, for look_of(). Any thread; never waits.
  void contradiction_found(const std::string& cell_id, const std::string& run_id, const recorded_contradiction& found) {
    looks_.found(cell_id, run_id, found);
  }

  probe_runner::counts counted() const { return runner_->counted(); }
  /// Whose readings of this cell are put on record.
  std::set<host_probe> recorded(const cell_specification& cell) const;

 private:
  struct watched_cell;
  using peer_ptr = std::shared_ptr<peer_probe>;

  peer_ptr peer_of(const std::string& run_name);
  void start_sources(const watched_cell& cell, const cell_specification& specification);
  void on_reading(const host_stamp_ptr& run, const probe_reading& reading);
  void forget(const host_stamp_ptr& run, host_probe probe);
  void on_change(const host_stamp_ptr& run, host_probe probe, const probe_health::change& change,
                 const std::string& words);
  template <class Source>
  std::shared_ptr<Source> shared_of(std::map<std::string, std::weak_ptr<Source>>& known, const std::string& name,
                                    std::shared_ptr<Source> (*make)(const std::string&, const privileged_reads_ptr&));

  const probe_settings settings_;
  operator_events& events_;
  look_board looks_;
  const privileged_reads_ptr by_;
  /// Guards the members below, and is not held while the runner is called, which calls back.
  mutable std::mutex mutex_;
  std::uint64_t generation_ = 0;
  delivery deliver_;
  std::map<std::string, std::shared_ptr<watched_cell>, std::less<>> cells_;
  /// By cell and run.
  std::map<std::string, peer_ptr, std::less<>> peers_;
  /// Copies are held by peers that are named by a descriptor and not yet looked at.
  const std::shared_ptr<void> claims_ = std::make_shared<int>(0);
  struct shared_sources;
  std::unique_ptr<shared_sources> shared_;
  std::unique_ptr<probe_runner> runner_;
};

}  // namespace cellos
