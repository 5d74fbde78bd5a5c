#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "messages/chain_lines.hpp"
#include "messages/evidence_removal.hpp"
#include "messages/instants.hpp"
#include "messages/recovery_event.hpp"

namespace cellos {

namespace event_type {
inline constexpr std::string_view host_started = "host.v1.started";
inline constexpr std::string_view host_stopped = "host.v1.stopped";
inline constexpr std::string_view host_key_changed = "host.v1.key_changed";
inline constexpr std::string_view host_run_opened = "host.v1.run_opened";
inline constexpr std::string_view host_run_closed = "host.v1.run_closed";
inline constexpr std::string_view host_evidence_removed = "host.v1.evidence_removed";
inline constexpr std::string_view host_segments_missing = "host.v1.segments_missing";
inline constexpr std::string_view host_evidence_truncated = "host.v1.evidence_truncated";
inline constexpr std::string_view host_evidence_blocked = "host.v1.evidence_blocked";
inline constexpr std::string_view host_evidence_lost = "host.v1.evidence_lost";
inline constexpr std::string_view host_range_adopted = "host.v1.range_adopted";
inline constexpr std::string_view host_chain_abandoned = "host.v1.chain_abandoned";
inline constexpr std::string_view host_journal_unusable = "host.v1.journal_unusable";
inline constexpr std::string_view host_line_not_understood = "host.v1.line_not_understood";
}  // namespace event_type

/// The last event of a run, as the host's chain remembers it.
struct run_end_mark {
  std::string chain;
  std::uint64_t last_sequence = 0;
  /// As `event_sealing::digest_text` spells it; empty where the run has no digests.
  std::string last_digest;
};

/// The host's chain before the present one, as far as it was written.
struct former_chain {
  std::string chain;
  event_place end;
};

/// What a start finds.
using recovery_finding = std::variant<journal_trouble, unreadable_line, abandoned_chain, adopted_range, lost_events>;

/// Projects what belongs to no run to events of the host's own chain; see run_projection. All are signed where there is
/// a key: there are few.
class host_projection {
 public:
  host_projection(std::string host_id, std::string chain, const event_sealing_ptr& sealing);

  /// `former`: where this is the first event of a chain that takes another's place; otherwise null.
  void started(std::string& out, std::uint64_t sequence, wall_time now, std::string_view daemon_version,
               const former_chain* former = nullptr);
  void stopped(std::string& out, std::uint64_t sequence, wall_time now);
  void key_changed(std::string& out, std::uint64_t sequence, wall_time now, std::string_view former_key_id);
  void run_opened(std::string& out, std::uint64_t sequence, wall_time now, std::string_view chain);
  void run_closed(std::string& out, std::uint64_t sequence, wall_time now, const run_end_mark& end);
  /// As many events as it takes so that none is long: `part` of `parts`, from 1. All of `removal` is in each of them
  /// but for the chains.
  static std::size_t parts_of(const evidence_removal& removal);
  void evidence_removed(std::string& out, std::uint64_t sequence, wall_time now, const evidence_removal& removal,
                        std::size_t part);
  void segments_missing(std::string& out, std::uint64_t sequence, wall_time now, std::uint64_t first_segment,
                        std::uint64_t last_segment);
  void evidence_truncated(std::string& out, std::uint64_t sequence, wall_time now, std::string_view file,
                          std::uint64_t bytes_removed);
  void evidence_blocked(std::string& out, std::uint64_t sequence, wall_time now, std::string_view cause,
                        std::chrono::nanoseconds blocked_for);

  void found(std::string& out, std::uint64_t sequence, wall_time now, const recovery_finding& finding);

  chain_lines& lines() { return lines_; }
  const chain_lines& lines() const { return lines_; }

 private:
  template <class WriteData>
  void event(std::string& out, std::uint64_t sequence, wall_time now, std::string_view type, WriteData&& data,
             seal_kind kind = seal_kind::signature);
  // One for each alternative of recovery_finding.
  void write(std::string& out, std::uint64_t sequence, wall_time now, journal_trouble trouble);
  void write(std::string& out, std::uint64_t sequence, wall_time now, const unreadable_line& line);
  void write(std::string& out, std::uint64_t sequence, wall_time now, const abandoned_chain& abandoned);
  void write(std::string& out, std::uint64_t sequence, wall_time now, const adopted_range& range);
  void write(std::string& out, std::uint64_t sequence, wall_time now, const lost_events& lost);

  std::string host_id_;
  chain_lines lines_;
};

}  // namespace cellos
