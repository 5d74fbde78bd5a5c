#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/ports.hpp"
#include "messages/cell_status.hpp"
#include "messages/host_sighting.hpp"
#include "messages/run_progress.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// What one cell has counted since this daemon began, and how it stands.
struct cell_counts {
  run_totals totals;
  std::uint64_t connections_refused = 0;
  std::uint64_t bytes_received = 0;
  std::uint32_t connections_open = 0;
  bool silenced = false;
  /// Its socket accepts.
  bool bound = false;
  /// Its socket's file was there when last looked at.
  bool socket_in_place = true;
  /// How its VMM was seen last; nothing if nobody has looked.
  std::optional<vmm_state> vmm{};

  cell_state state() const {
    if (silenced) return cell_state::silenced;
    return connections_open != 0 ? cell_state::connected : cell_state::listening;
  }
};

/// One cell's counts where any thread reads them without asking an actor. The SINK publishes what it settles through
/// `run`, and never waits for a reader; the CELL SUPERVISOR says when the socket is bound and let go of. Thread-safe.
///
/// What is read balances, and never goes back.
class cell_progress {
 public:
  const run_progress_ptr& run() const { return run_; }
  /// Where the host's probes show what they saw.
  const sighting_board_ptr& sightings() const { return sightings_; }

  /// `before`: what was on record of the run before this daemon began.
  void bind(cell_intake_ptr intake, const run_totals& before);
  /// Lets go of the intake; what it counted stays.
  void unbind();

  cell_counts read() const;
  /// What the host saw last, and whether a connection is open now.
  host_sighting seen() const;

 private:
  const run_progress_ptr run_ = std::make_shared<run_progress>();
  const sighting_board_ptr sightings_ = std::make_shared<sighting_board>();
  mutable std::mutex mutex_;
  /// Null while the socket is not bound.
  cell_intake_ptr intake_;
  /// What the intake had counted when it was let go of.
  intake_counts last_;
  run_totals before_;
};

using cell_progress_ptr = std::shared_ptr<cell_progress>;

}  // namespace cellos
