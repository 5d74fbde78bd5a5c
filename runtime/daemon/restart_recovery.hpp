#pragma once

#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/events.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/ports.hpp"
#include "messages/event_seal.hpp"
#include "messages/recovered_run.hpp"
#include "runtime/evidence/run_recovery.hpp"
#include "runtime/evidence/segment_log.hpp"

/// What the daemon before this one left behind when it ended.
namespace cellos {

/// Who starts, and with what.
struct restart_context {
  std::string_view host_id;
  std::string_view daemon_version;
  evidence_log& log;
  const wall_clock& clock;
  chain_epochs& epochs;
  event_sealing_ptr sealing = nullptr;
};

/// Of a log that never had a journal, a new one or a former version's, in which there is nothing that would have to be
/// on record first: what a journal of it begins with. A start that is killed later then leaves one.
std::optional<std::vector<journaled_chain>> reliable_at_once(const recovery_conclusions& found);

/// Puts on record what a start found: begins or goes on with the host's chain, which is `host_chain` from then on, and
/// says of each run that was open what became of it (`telemetry_dropped` with reason `daemon_restart`, and what was
/// adopted). Whatever belongs together is one append, so that a start that is killed is repeated where it was.
///
/// Runs of another host, and of chains that are sealed in another way, are ended and the chain of that host with them.
/// What is left in `found.open_runs` goes on.
std::error_code record_restart(recovery_conclusions& found, const restart_context& context,
                               std::optional<host_event_chain>& host_chain);

/// The same for a log on disk, whose journal is begun with it, and for the operator.
std::error_code record_start(recovery_conclusions& found, const restart_context& context, segment_log& log,
                             operator_events& events, std::optional<host_event_chain>& host_chain);

/// Where each run's chain stands.
std::vector<chain_head> heads_of(const std::vector<recovered_run>& runs);

/// Ends the runs that nobody went on with.
std::error_code end_orphans(const std::vector<recovered_run>& orphans, const wall_clock& clock,
                            const event_sealing_ptr& sealing, host_event_chain& host_chain);

}  // namespace cellos
