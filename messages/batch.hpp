#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "messages/guest_declaration.hpp"
#include "messages/host_stamp.hpp"
#include "messages/received_chunk.hpp"
#include "messages/stamped_declaration.hpp"
#include "messages/telemetry_errc.hpp"

namespace cellos {

/// What a version 1.1 guest says about its own losses within one chunk.
struct guest_loss_account {
  bool has_seq = false;
  std::uint64_t first_seq = 0;
  /// One past the highest `seq` seen.
  std::uint64_t next_seq = 0;
  /// Numbers skipped between frames of this chunk, below the highest and above the first.
  std::uint64_t missing_within = 0;
  bool has_dropped = false;
  /// The highest that the guest's cumulative drop counter has been.
  std::uint64_t dropped = 0;
};

/// Everything one chunk came to: its declarations with one attribution, and what was refused. What DECODER hands to
/// SINK.
///
/// A chunk of which nothing is accepted still makes a batch: the SINK's totals and the LISTENER's credit need it.
struct batch {
  host_stamp_ptr attribution;
  /// Kept alive because the declarations borrow from it.
  chunk_ptr chunk;
  /// To be appended, in frame order. Heartbeats are not among them.
  std::vector<guest_declaration> declarations;
  std::uint32_t heartbeats = 0;
  refusal_counts refused;
  /// Accepted frames that tried to fill attribution.
  std::uint32_t forged_attribution = 0;
  guest_loss_account losses;

  std::uint64_t accepted() const { return declarations.size() + heartbeats; }
  /// Needs an attribution.
  stamped_declaration stamped(std::size_t index) const {
    return stamp(declarations[index], *attribution, chunk->received_at);
  }
};

using batch_ptr = std::shared_ptr<const batch>;

}  // namespace cellos
