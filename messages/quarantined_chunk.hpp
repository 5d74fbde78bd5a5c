#pragma once

#include <cstdint>
#include <string>

namespace cellos {

/// A chunk that is never decoded again, because decoding it ended two DECODERs or made a batch of another attribution.
struct quarantined_chunk {
  std::uint64_t sequence = 0;
  std::uint32_t frames = 0;
  /// Name of the file it was set aside in; empty if that failed.
  std::string file;
};

}  // namespace cellos
