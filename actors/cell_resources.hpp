#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/cell_progress.hpp"
#include "actors/interfaces.hpp"
#include "actors/ports.hpp"
#include "messages/cell_specification.hpp"
#include "messages/cell_status.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"
#include "messages/quarantined_chunk.hpp"
#include "messages/recovered_run.hpp"

namespace cellos {

/// What a CELL SUPERVISOR works on and must not lose by dying: its successor goes on with it. Its children get no more
/// of it than they are given; the HOST SUPERVISOR holds it and reads `progress` and, of a cell that ended,
/// `at_the_end`.
struct cell_resources {
  cell_specification specification;
  host_stamp_ptr run;
  /// Name of the run's chain of events; empty until it is opened.
  std::string chain;
  /// Null until bound. Set by `use`.
  cell_intake_ptr intake;
  /// What of it scrapes read.
  cell_progress_ptr progress = std::make_shared<cell_progress>();
  decoder_progress_ptr decoder = std::make_shared<decoder_progress>();
  /// The run is being ended, and no chain may be opened for it again.
  bool closing = false;
  /// LISTENERs started so far: each attaches under its own number.
  std::uint64_t listeners = 0;
  /// Chunks no DECODER is given again.
  std::vector<quarantined_chunk> quarantined;
  /// The chain to go on with, if the daemon's predecessor left this run open.
  std::optional<recovered_run> recovered;
  /// How it stood when its run ended; set before the CELL SUPERVISOR says so.
  std::optional<cell_status> at_the_end;

  /// Binds the cell to an intake; null lets go of the one it has.
  void use(cell_intake_ptr bound) {
    if (bound) {
      progress->bind(bound, recovered ? recovered->totals : run_totals{});
    } else {
      progress->unbind();
    }
    intake = std::move(bound);
  }
};

using cell_resources_ptr = std::shared_ptr<cell_resources>;

cell_resources_ptr make_cell_resources(const std::string& host_id, cell_specification specification);

}  // namespace cellos
