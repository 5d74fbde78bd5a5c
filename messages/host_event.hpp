#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "messages/chain_writer.hpp"
#include "messages/event_types.hpp"
#include "messages/evidence_removal.hpp"
#include "messages/instants.hpp"
#include "messages/node_statement.hpp"
#include "messages/recovery_event.hpp"

namespace cellos {

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
  host_projection(std::string host_id, chain_position at, const event_sealing_ptr& sealing);

  /// Of each group of events; a change of keys comes first.
  void begin(std::string& out, wall_time now);

  /// `former`: where this is the first event of a chain that takes another's place; otherwise null.
  void started(std::string& out, wall_time now, std::string_view daemon_version, const former_chain* former = nullptr);
  void stopped(std::string& out, wall_time now);
  void run_opened(std::string& out, wall_time now, std::string_view chain);
  void run_closed(std::string& out, wall_time now, const run_end_mark& end);
  /// As many events as it takes so that none is long: `part` of `parts`, from 1. All of `removal` is in each of them
  /// but for the chains.
  static std::size_t parts_of(const evidence_removal& removal);
  void evidence_removed(std::string& out, wall_time now, const evidence_removal& removal, std::size_t part);
  void segments_missing(std::string& out, wall_time now, std::uint64_t first_segment, std::uint64_t last_segment);
  void evidence_truncated(std::string& out, wall_time now, std::string_view file, std::uint64_t bytes_removed);
  void evidence_blocked(std::string& out, wall_time now, std::string_view cause, std::chrono::nanoseconds blocked_for);

  void found(std::string& out, wall_time now, const recovery_finding& finding);
  void said(std::string& out, wall_time now, const node_statement& statement);

  chain_writer& chain() { return chain_; }
  const chain_writer& chain() const { return chain_; }

 private:
  void key_changed(std::string& out, wall_time now, std::string_view former_key_id);
  template <class Members>
  void event(std::string& out, wall_time now, event_type type, Members&& members);
  // One for each alternative of recovery_finding.
  void write(std::string& out, wall_time now, journal_trouble trouble);
  void write(std::string& out, wall_time now, const unreadable_line& line);
  void write(std::string& out, wall_time now, const abandoned_chain& abandoned);
  void write(std::string& out, wall_time now, const adopted_range& range);
  void write(std::string& out, wall_time now, const lost_events& lost);
  // One for each alternative of node_statement.
  void write(std::string& out, wall_time now, const seen_host& seen);
  void write(std::string& out, wall_time now, const silenced_host& silenced);
  void write(std::string& out, wall_time now, const resumed_host& resumed);
  void write(std::string& out, wall_time now, const forked_history& forked);
  void write(std::string& out, wall_time now, const witnessed_log& witnessed);

  std::string host_id_;
  chain_writer chain_;
};

}  // namespace cellos
