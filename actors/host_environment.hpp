#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/activity.hpp"
#include "actors/chain_epochs.hpp"
#include "actors/events.hpp"
#include "actors/host_event_chain.hpp"
#include "actors/log_share.hpp"
#include "actors/ports.hpp"
#include "actors/progress_board.hpp"
#include "actors/recovered_runs.hpp"
#include "actors/restart_intensity.hpp"
#include "messages/batch.hpp"
#include "messages/decode_chunk.hpp"
#include "messages/event_seal.hpp"

namespace cellos {

/// Counts a SINK whose log takes nothing for as long as it lives: nothing is read then, and no agent is to be called
/// silent.
class blocked_mark {
 public:
  explicit blocked_mark(std::atomic<int>& blocked) : blocked_(blocked) { ++blocked_; }
  ~blocked_mark() { --blocked_; }
  blocked_mark(const blocked_mark&) = delete;
  blocked_mark& operator=(const blocked_mark&) = delete;

 private:
  std::atomic<int>& blocked_;
};

/// What the actors of one daemon share; outlives them all.
struct host_environment {
  std::string host_id;
  std::string daemon_version;
  telemetry_sockets& sockets;
  evidence_log& log;
  quarantine_store& quarantine;
  const wall_clock& clock;
  operator_events& events;
  activity_registry& activities;
  /// Runs that the evidence log says are open; the HOST SUPERVISOR takes each out as its cell is admitted again.
  recovered_runs recovered;
  restart_limits limits{};
  /// Null: events carry neither digests nor signatures.
  event_sealing_ptr sealing = nullptr;
  /// Null: no chain of the host's own is kept.
  host_event_chain* host_chain = nullptr;
  /// Of the evidence log, for each cell.
  log_share_limits cell_share{};
  /// Of every chain this host begins.
  std::shared_ptr<chain_epochs> epochs = std::make_shared<chain_epochs>();
  /// SINKs whose log takes nothing at the moment.
  std::shared_ptr<std::atomic<int>> blocked_sinks = std::make_shared<std::atomic<int>>(0);
  /// Every cell's counts, where scrapes read them.
  std::shared_ptr<progress_board> progress = std::make_shared<progress_board>();
  /// The DECODER's work. Its own member because tests put faults here.
  std::function<batch(chunk_ptr, host_stamp_ptr)> decode = decode_chunk;
};

}  // namespace cellos
