#pragma once

#include <cstdint>

#include "messages/cloud_event.hpp"

namespace cellos {

/// How a run is to be closed.
struct run_closing {
  run_end_reason reason{};
  // What only the cell's intake knows.
  std::uint64_t frames_received = 0;
  std::uint64_t connections = 0;
};

}  // namespace cellos
