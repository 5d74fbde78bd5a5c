#pragma once

#include <optional>

#include "messages/chain_position.hpp"
#include "messages/host_stamp.hpp"
#include "messages/recovery_event.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// A run that was open when the daemon last ended, as far as the evidence log shows: where its chain goes on.
struct recovered_run : chain_position {
  host_stamp attribution;
  /// What is on record: appended declarations and summarised refusals. Heartbeats and unsummarised refusals are not.
  run_totals totals;
  bool silence_told = false;
  bool resumed = false;
  /// Behind its last event there is one that says so.
  std::optional<adopted_range> adopted;
};

}  // namespace cellos
