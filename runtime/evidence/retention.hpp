#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "actors/events.hpp"
#include "actors/host_event_chain.hpp"
#include "messages/evidence_removal.hpp"
#include "runtime/evidence/open_chains.hpp"
#include "runtime/evidence/removed_positions.hpp"
#include "runtime/evidence/retention_file.hpp"
#include "runtime/evidence/segment_log.hpp"

namespace cellos {

/// Which of a log's segments should be there and are not. `first_expected`: the oldest that retention left.
std::vector<segment_range> missing_segments(const std::vector<segment_on_disk>& present, std::uint64_t first_expected);

/// Removes the oldest segments of a log, each after the host's chain has on record how far it takes which chain; and
/// puts on record what others did to the log's files. Used by one thread, which the log has left its removal to.
///
/// In this order, so that a crash between any two steps leaves nothing unexplained: what is about to go is read, put on
/// record, made durable, noted in the retention file, removed. A step that fails is tried again by the next call.
class retention {
 public:
  struct surroundings {
    segment_log& log;
    host_event_chain& host_chain;
    operator_events& events;
    const open_chains& open;
  };

  retention(const surroundings& around, retention_state state, journal_mac_ptr mac);

  /// Does what is to be done. True if something is left that could not be.
  bool work();

  /// Later notes are authentic under this one.
  void set_mac(journal_mac_ptr mac) { mac_ = std::move(mac); }
  const retention_state state() const { return {first_segment_, removed_.chains()}; }

 private:
  /// What is on record, or on its way there.
  struct removal_under_way {
    segment_range segments;
    std::uint64_t bytes = 0;
    bool recorded = false;
  };

  void report_disturbed();
  std::error_code begin(const segment_range& due);
  std::error_code finish();
  std::error_code read_segment(std::uint64_t segment, std::uint64_t& bytes);

  surroundings around_;
  retention_file file_;
  journal_mac_ptr mac_;
  std::uint64_t first_segment_;
  removed_positions removed_;
  std::optional<removal_under_way> under_way_;
  /// What the last record took; the next one will take about as much.
  std::uint64_t record_bytes_ = 0;
  bool displaced_ = false;
  /// Once for each run of failures.
  bool failed_ = false;
};

}  // namespace cellos
