#pragma once

#include "actors/event_counts.hpp"
#include "actors/progress_board.hpp"
#include "runtime/control/exposition.hpp"
#include "runtime/probes/probe_runner.hpp"

namespace cellos {

/// What the host reads of cells for itself, and what it saw.
void write_probe_metrics(exposition& out, const probe_runner::counts& counted, const host_counts& cells,
                         const event_counts& seen);

}  // namespace cellos
