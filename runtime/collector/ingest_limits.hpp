#pragma once

#include <chrono>
#include <cstdint>

#include "messages/node_message.hpp"

namespace cellos {

class key_list;

/// What a collector grants each host.
struct ingest_limits {
  /// Bytes of lines that may be unanswered. Default: chosen here, eight usual batches.
  std::uint32_t window_bytes = std::uint32_t{2} << 20;
  /// Bytes of lines in one message; at most node_limits::largest_batch.
  std::uint32_t largest_batch = node_limits::largest_batch;
  /// A host that is not heard for so long counts as silent. Default: chosen here.
  std::chrono::milliseconds silence_window{15'000};
  /// Bytes a second that one host may have kept; 0: no limit.
  std::uint64_t host_bytes_per_second = 0;
  /// After which a host tries again where the disk took nothing. Default: chosen here.
  std::chrono::milliseconds storage_pause{1000};
  /// Set: lines are taken if a signature_check with these keys passes them. It must outlive whoever uses it.
  const key_list* signers = nullptr;
};

}  // namespace cellos
