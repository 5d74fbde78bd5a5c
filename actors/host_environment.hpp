#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/activity.hpp"
#include "actors/events.hpp"
#include "actors/interfaces.hpp"
#include "actors/log_share.hpp"
#include "actors/ports.hpp"
#include "actors/progress_board.hpp"
#include "actors/restart_intensity.hpp"
#include "messages/batch.hpp"
#include "messages/decode_chunk.hpp"
#include "messages/run_witness.hpp"

namespace cellos {

/// What all actors of one daemon know; outlives them all and is constant while there are any. The ports and what is
/// behind a pointer here are thread-safe.
struct host_environment {
  std::string host_id;
  std::string daemon_version;
  telemetry_sockets& sockets;
  evidence_log& log;
  quarantine_store& quarantine;
  const wall_clock& clock;
  operator_events& events;
  activity_registry& activities;
  restart_limits limits{};
  /// Of the evidence log, for each cell.
  log_share_limits cell_share{};
  /// The HOST CHAIN has a thread of its own, so that SINKs that wait for room in the log never keep it from putting on
  /// record what is removed for them.
  bool host_chain_has_thread = false;
  /// What SINKs show without a message.
  host_progress_ptr progress = std::make_shared<host_progress>();
  /// Every cell's counts, where scrapes read them. The HOST SUPERVISOR alone adds and removes cells.
  std::shared_ptr<progress_board> board = std::make_shared<progress_board>();
  /// Null: the host reads nothing of cells for itself.
  host_probes* probes = nullptr;
  /// Compares what cells declare with what was read; null: nothing is compared.
  make_run_witness witness_of = nullptr;
  /// The DECODER's work. Its own member because tests put faults here.
  std::function<batch(chunk_ptr, host_stamp_ptr)> decode = decode_chunk;
};

}  // namespace cellos
