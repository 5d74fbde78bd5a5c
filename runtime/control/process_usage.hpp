#pragma once

#include <cstdint>

namespace cellos {

/// What this process uses of its host, as the kernel counts it.
struct process_usage {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
  /// Since 1970.
  double started_at = 0;
};

process_usage usage_of_this_process();

}  // namespace cellos
