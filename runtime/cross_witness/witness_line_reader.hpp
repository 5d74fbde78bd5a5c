#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages/event_line.hpp"
#include "messages/host_probe.hpp"
#include "runtime/cross_witness/witness_line.hpp"

namespace cellos {

/// Reads from lines of a run's chain what is compared. That the lines are the chain's, and unchanged, is for others to
/// prove.
class witness_line_reader {
 public:
  /// `attempts_counter`: the counter in the cell's nftables table that counts its attempts to connect. If empty, the
  /// one that readings name themselves, and as long as none does, the packets of the cell's tap are compared instead.
  explicit witness_line_reader(std::string attempts_counter = {});
  ~witness_line_reader();
  witness_line_reader(const witness_line_reader&) = delete;
  witness_line_reader& operator=(const witness_line_reader&) = delete;

  /// Nothing of a line that says nothing of this.
  std::optional<witness_line> read(const event_line& line);
  /// The same of a reading that is about to be such a line.
  std::optional<witness_line> read(std::uint64_t sequence, wall_time at, const probe_reading& reading);

 private:
  struct scratch;

  std::string attempts_counter_;
  std::unique_ptr<scratch> scratch_;
};

}  // namespace cellos
