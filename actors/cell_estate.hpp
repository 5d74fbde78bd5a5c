#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "actors/ports.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// What a cell's actors work on and must not lose by dying: whoever replaces them inherits it.
struct cell_estate {
  cell_specification specification;
  host_stamp_ptr run;
  /// Name of the run's chain of events; empty until it is opened.
  std::string chain;
  /// Null until bound.
  cell_intake_ptr intake;
  /// Receive time of the last accepted frame, admission counting as the first. Written by the DECODER.
  std::atomic<monotonic_time> last_accepted{};
};

using cell_estate_ptr = std::shared_ptr<cell_estate>;

}  // namespace cellos
