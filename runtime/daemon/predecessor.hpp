#pragma once

#include <string>
#include <system_error>
#include <vector>

#include "actors/host_chronicle.hpp"
#include "actors/ports.hpp"
#include "messages/event_seal.hpp"
#include "messages/recovered_run.hpp"

/// What the daemon before this one left behind when it ended without draining.
namespace cellos {

/// Puts the gap on record: one `telemetry_dropped` with reason `daemon_restart` to each run that was open.
///
/// A run whose chain cannot go on, because it has digests and there is no sealing, or the other way round, is ended and
/// taken out of `open_runs`.
std::error_code record_restart(std::vector<recovered_run>& open_runs, evidence_log& log, const wall_clock& clock,
                               const event_sealing_ptr& sealing = nullptr, host_chronicle* chronicle = nullptr);

/// Where each run's chain stands.
std::vector<chain_head> heads_of(const std::vector<recovered_run>& runs);

/// Ends the runs that nobody went on with.
std::error_code end_orphans(const std::vector<recovered_run>& orphans, evidence_log& log, const wall_clock& clock,
                            const event_sealing_ptr& sealing = nullptr, host_chronicle* chronicle = nullptr);

}  // namespace cellos
