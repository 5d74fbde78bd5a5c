#pragma once

#include <cstdint>

#include "messages/instants.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

/// A run as the SINK knows it when asked for its totals.
struct run_account {
  run_totals totals;
  /// Of a recovered run: frames among `totals.received` that the present intake never saw.
  std::uint64_t received_before = 0;
  bool silenced = false;
  /// Of this run; a later silence of it is not reported.
  bool silence_told = false;
  /// Receive time of the last accepted frame; zero before the first.
  wall_time last_frame{};
};

}  // namespace cellos
