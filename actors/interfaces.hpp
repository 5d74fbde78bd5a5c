#pragma once

#include <caf/all.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "messages/agent_silenced.hpp"
#include "messages/batch.hpp"
#include "messages/cell_specification.hpp"
#include "messages/cell_status.hpp"
#include "messages/cloud_event.hpp"
#include "messages/event_seal.hpp"
#include "messages/host_probe.hpp"
#include "messages/host_sighting.hpp"
#include "messages/joint_append.hpp"
#include "messages/quarantined_chunk.hpp"
#include "messages/run_account.hpp"
#include "messages/run_closing.hpp"
#include "messages/run_totals.hpp"

/// Every actor's protocol, in the order of the data path:
///
///     socket service -> DECODER -> SINK -> evidence log
///           ^------ chunk_credit ---'
///
/// Lines with which a run begins or ends go to the log by way of the HOST CHAIN. KEEPALIVE watches the DECODER; a CELL
/// SUPERVISOR owns the three; the HOST SUPERVISOR owns the cells, the SINKs, the HOST CHAIN and the PROBE SCHEDULER.
///
/// What an actor shows without a message, to another or to a thread, is in this file or named here:
///
///     decoder_progress  the DECODER's; KEEPALIVE and CELL SUPERVISOR read it
///     host_progress     every SINK counts itself in and out; KEEPALIVEs, metrics and probes read it
///     run_progress      the SINK's, a part of cell_progress; metrics and probes read it
///     cell_progress     else the CELL SUPERVISOR's: which socket is bound; metrics and probes read it
///     sighting_board    what the host saw of the cell: probes' threads show it; KEEPALIVEs, metrics read it
///     activity          of each actor its own; the watchdog reads it
///     chain_epochs      each SINK takes the next number for a chain that begins
///
/// What outlives an actor that is replaced (`sink_journal`, `host_event_chain`, `cell_resources`) is worked on by one
/// actor at a time and handed on by its supervisor. What is in `host_environment` is constant.
namespace cellos {

using acknowledge_atom = caf::atom_constant<caf::atom("ack")>;
using replay_atom = caf::atom_constant<caf::atom("replay")>;
using drain_atom = caf::atom_constant<caf::atom("drain")>;
using drained_atom = caf::atom_constant<caf::atom("drained")>;
using barrier_atom = caf::atom_constant<caf::atom("barrier")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using turn_atom = caf::atom_constant<caf::atom("turn")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using quarantine_atom = caf::atom_constant<caf::atom("quarantine")>;
using retry_atom = caf::atom_constant<caf::atom("retry")>;
using open_run_atom = caf::atom_constant<caf::atom("openrun")>;
using close_run_atom = caf::atom_constant<caf::atom("closerun")>;
using totals_atom = caf::atom_constant<caf::atom("totals")>;
using admit_atom = caf::atom_constant<caf::atom("admit")>;
using retire_atom = caf::atom_constant<caf::atom("retire")>;
using alive_atom = caf::atom_constant<caf::atom("alive")>;
using status_atom = caf::atom_constant<caf::atom("status")>;
using checkpoint_atom = caf::atom_constant<caf::atom("checkpoint")>;
using rekey_atom = caf::atom_constant<caf::atom("rekey")>;
using accounts_atom = caf::atom_constant<caf::atom("accounts")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using append_atom = caf::atom_constant<caf::atom("append")>;
using watch_atom = caf::atom_constant<caf::atom("watch")>;
using unwatch_atom = caf::atom_constant<caf::atom("unwatch")>;

/// What a cell's DECODER shows without a message. It alone writes while it lives, and KEEPALIVE and the CELL SUPERVISOR
/// read; it outlives each DECODER.
struct decoder_progress {
  /// Receive time of the last accepted frame, admission counting as the first.
  std::atomic<monotonic_time> last_accepted{};
  /// Sequence of the chunk being decoded, 0 between chunks: what a DECODER that died was at.
  std::atomic<std::uint64_t> decoding{0};
};
using decoder_progress_ptr = std::shared_ptr<decoder_progress>;

/// What the SINKs of a host show without a message.
struct host_progress {
  /// SINKs whose lines the log does not take at the moment: nothing is read then, and no agent is to be called silent.
  std::atomic<int> blocked_sinks{0};
};
using host_progress_ptr = std::shared_ptr<host_progress>;

/// A run whose cell is read, and where it is shown what was seen.
struct probed_cell {
  host_stamp_ptr run;
  cell_specification specification;
  sighting_board_ptr board;
};

/// HOST CHAIN: the host's own chain of events; owns nothing it could lose by dying (see host_event_chain).
using host_chain_actor = caf::typed_actor<
    // Appends lines of runs in one piece with what the host's chain says of them, once by number, and answers what
    // became of it.
    caf::replies_to<append_atom, joint_append_ptr>::with<append_outcome>,
    // Seals all further events with another key.
    caf::reacts_to<rekey_atom, event_sealing_ptr>>;

/// SINK: orders each run into a chain of events and appends it; owns nothing it could lose by dying (see sink_journal).
using sink_actor = caf::typed_actor<
    // Answers with the chain's name once `run.v1.started` is in the log.
    caf::replies_to<open_run_atom, host_stamp_ptr, run_opening>::with<std::string>,
    // Appends exactly once by chunk sequence, then acknowledges. Refuses what is not attributed to the run.
    caf::reacts_to<batch_ptr, host_stamp_ptr, chunk_credit_ptr>,
    // Stands in for the batch that could not be made; puts the loss on record, then acknowledges.
    caf::reacts_to<quarantine_atom, host_stamp_ptr, quarantined_chunk, chunk_credit_ptr>,
    // Appends the run's one silence; a second is ignored.
    caf::reacts_to<host_stamp_ptr, agent_silenced>,
    // Appends what the host read for itself. One that comes while the log takes nothing is dropped: the next one says
    // how it is then.
    caf::reacts_to<host_stamp_ptr, probe_reading_ptr>,
    // The run's totals at this moment; `received` counts what reached the SINK.
    caf::replies_to<totals_atom, host_stamp_ptr>::with<run_account>,
    // Answers with the final totals once `run.v1.ended` is in the log.
    caf::replies_to<close_run_atom, host_stamp_ptr, run_closing>::with<run_totals>,
    // Own message: a bounded piece of what the cells have queued, each in its turn. Own timer: asks for those again
    // that were held back.
    caf::reacts_to<turn_atom>, caf::reacts_to<retry_atom>,
    // Own timer: writes pending lines, or tries again after the log refused them.
    caf::reacts_to<flush_atom>,
    // Own timer: summaries that are due.
    caf::reacts_to<tick_atom>,
    // Own timer: signs what no signature vouches for yet.
    caf::reacts_to<checkpoint_atom>,
    // Seals all further events with another key.
    caf::reacts_to<rekey_atom, event_sealing_ptr>,
    // A restarted HOST CHAIN takes over.
    caf::reacts_to<host_chain_actor>>;

/// DECODER: turns a chunk's bytes into declarations and refusals, stamps them, passes them on.
using decoder_actor = caf::typed_actor<
    // One batch to the SINK for every chunk, whatever is in it.
    caf::reacts_to<chunk_ptr, chunk_credit_ptr>,
    // A barrier: answers when everything sent before it is decoded, with when the last accepted frame came in.
    caf::replies_to<barrier_atom>::with<monotonic_time>,
    // A restarted SINK takes over.
    caf::reacts_to<sink_actor>>;

/// LISTENER: the thin owner of one cell's intake; has the socket service bring its chunks to the DECODER, with the
/// credit that goes back for them.
using listener_actor = caf::typed_actor<
    // A (re)started DECODER takes over; everything unacknowledged is sent to it again.
    caf::reacts_to<decoder_actor>,
    // The SINK misses a chunk: everything unacknowledged is sent again.
    caf::reacts_to<replay_atom>,
    // While draining: chunks up to this sequence are appended, and their credit has returned.
    caf::reacts_to<acknowledge_atom, std::uint64_t>,
    // Answers with all frames ever received when the last chunk that will ever come is acknowledged.
    caf::replies_to<drain_atom>::with<std::uint64_t>,
    // From the socket service: no chunk will come after those that came.
    caf::reacts_to<drained_atom>>;

/// KEEPALIVE: notifies the SINK, once a run, that the agent fell silent.
using keepalive_actor = caf::typed_actor<
    // Own timer: looks whether the window has passed.
    caf::reacts_to<tick_atom>,
    // A restarted DECODER or SINK takes over.
    caf::reacts_to<decoder_actor>, caf::reacts_to<sink_actor>>;

/// CELL SUPERVISOR: binds one cell's socket and keeps its three actors alive.
using cell_supervisor_actor = caf::typed_actor<
    // Answers once the socket accepts and the run is open, or with why not.
    caf::replies_to<admit_atom>::with<cell_status>,
    // Drains, ends the run, removes the socket; answers with the totals and quits.
    caf::replies_to<retire_atom, run_end_reason>::with<run_totals>, caf::replies_to<status_atom>::with<cell_status>,
    // A restarted SINK takes over.
    caf::reacts_to<sink_actor>,
    // Own timer: tries again what failed with another actor, or starts the children that were not replaced.
    caf::reacts_to<retry_atom>>;

/// PROBE SCHEDULER: has each cell read by the host itself, and brings the readings to the SINK of its run.
using probe_scheduler_actor = caf::typed_actor<
    // The run is open, and this is its SINK from now on. Again for the same run: another SINK.
    caf::reacts_to<watch_atom, probed_cell, sink_actor>,
    // The run is over.
    caf::reacts_to<unwatch_atom, host_stamp_ptr>,
    // From the threads that read: one reading that is to be put on record.
    caf::reacts_to<host_stamp_ptr, probe_reading_ptr>>;

/// HOST SUPERVISOR: admits and retires cells; restarts cell supervisors, SINKs, the HOST CHAIN and the PROBE SCHEDULER.
using host_supervisor_actor = caf::typed_actor<
    // A sign of life, asking nobody else: how many cells there are.
    caf::replies_to<alive_atom>::with<std::uint64_t>,
    // The same specification again answers the same; another one for a live id is an error.
    caf::replies_to<admit_atom, cell_specification>::with<cell_status>,
    caf::replies_to<retire_atom, std::string>::with<run_totals>,
    caf::replies_to<status_atom>::with<std::vector<cell_status>>,
    // Every chain goes on with another key.
    caf::reacts_to<rekey_atom, event_sealing_ptr>, caf::replies_to<status_atom, std::string>::with<cell_status>,
    // For who is no actor of the host: to the HOST CHAIN.
    caf::replies_to<append_atom, joint_append_ptr>::with<append_outcome>,
    // Adds up with every earlier answer: no count ever goes back, whichever cells come and go.
    caf::replies_to<accounts_atom>::with<host_accounts>,
    // Retires every cell; answers with how many did not end cleanly.
    caf::replies_to<stop_atom>::with<std::uint64_t>,
    // Own timer: starts what was not replaced at once because it died too often.
    caf::reacts_to<retry_atom>>;

}  // namespace cellos

// Local messages only: they hold pointers.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::host_stamp_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::event_sealing_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::probe_reading_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::probed_cell)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::joint_append_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::append_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::run_opening)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::run_end_reason)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::run_closing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::quarantined_chunk)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::run_totals)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::run_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::chunk_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::chunk_credit_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::agent_silenced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::monotonic_time)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::cell_specification)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::cell_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<cellos::cell_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::host_accounts)
