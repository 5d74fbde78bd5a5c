#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "actors/events.hpp"
#include "messages/evidence_removal.hpp"
#include "messages/joint_append.hpp"
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
  /// Has the host's chain say it, and answers once it is in the log. After an error it is asked for again.
  using recording = std::function<std::error_code(const joint_append_ptr&)>;

  struct surroundings {
    segment_log& log;
    recording record;
    operator_events& events;
    const open_chains& open;
  };

  retention(surroundings around, retention_state state, journal_mac_ptr mac);

  /// Does what is to be done. True if something is left that could not be.
  bool work();

  /// Later notes are authentic under this one.
  void set_mac(journal_mac_ptr mac) { mac_ = std::move(mac); }
  const retention_state state() const { return {first_segment_, removed_.chains()}; }

 private:
  /// What is on record, or to be put there.
  struct removal_under_way {
    segment_range segments;
    std::uint64_t bytes = 0;
    bool recorded = false;
  };

  void report_disturbed();
  void say(host_statement statement);
  std::error_code record_said();
  std::error_code begin(const segment_range& due);
  std::error_code finish();
  std::error_code read_segment(std::uint64_t segment, std::uint64_t& bytes);

  surroundings around_;
  retention_file file_;
  journal_mac_ptr mac_;
  std::uint64_t first_segment_;
  removed_positions removed_;
  std::optional<removal_under_way> under_way_;
  /// In order; not known to be in the log.
  std::deque<joint_append_ptr> said_;
  std::uint64_t last_number_ = 0;
  /// What the last record took; the next one will take about as much.
  std::uint64_t record_bytes_ = 0;
  bool displaced_ = false;
  /// Once for each run of failures.
  bool failed_ = false;
};

}  // namespace cellos
