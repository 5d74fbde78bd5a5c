#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "messages/recovered_run.hpp"
#include "messages/signing_statement.hpp"
#include "runtime/evidence/journal_content.hpp"
#include "runtime/evidence/recovery_line.hpp"
#include "runtime/signing/key_list.hpp"

namespace cellos {

/// One chain as a start finds it in the log, beside what the journal expects of it.
class chain_recovery {
 public:
  /// `expected` may be null: the journal does not know the chain; otherwise it must outlive this.
  chain_recovery(std::string name, const expected_chain* expected);

  bool is_host() const { return run_.attribution.cell_id.empty(); }
  const std::string& name() const { return run_.chain; }
  /// Null where nothing is expected of it.
  const expected_chain* expected() const {
    return expected_ == nullptr || expected_->milestones.empty() ? nullptr : expected_;
  }

  /// `own`: the line's digest.
  void take(const recovery_line& line, const event_digest& own, std::uint64_t segment);

  /// The last event there is; nothing of the chain may have been looked at.
  bool has_lines() const { return last_ != 0; }
  std::uint64_t last() const { return last_; }
  std::uint64_t segment() const { return segment_; }
  bool is_broken() const { return broken_; }
  /// The last event is `run.v1.ended`, or `host.v1.stopped`.
  bool ended() const { return ended_; }
  /// The last event is the one that the journal has at its place.
  bool ends_at(const chain_position& position) const;

  /// The last event that the journal or a signature by one of `keys` vouches for. Looks at the last few signatures.
  std::uint64_t vouched_until(const key_list& keys) const;

  /// Where the chain goes on behind what was found.
  const recovered_run& state() const { return run_; }
  /// Where there are no lines: as this head says.
  void stand_at(const chain_head& head);
  event_place place() const;

  /// What the last event that says so says of the chain's sealing.
  const std::optional<signing_statement>& statement() const { return statement_; }
  bool has_started() const { return started_; }

 private:
  struct signed_event {
    std::uint64_t sequence = 0;
    event_digest digest{};
    std::string dssematerial;
  };

  const milestone* milestone_at(std::uint64_t sequence) const;
  const milestone* milestone_before(std::uint64_t sequence) const;
  bool follows(const recovery_line& line) const;
  void begin(const recovery_line& line);
  void account(const recovery_line& line);
  void account_run_event(std::optional<event_type> type, const std::string& data);

  const expected_chain* expected_;
  recovered_run run_;
  std::uint64_t last_ = 0;
  std::uint64_t segment_ = 0;
  /// Of the event before the next line; unknown where that one was never looked at.
  std::optional<event_digest> digest_;
  std::uint64_t vouched_ = 0;
  bool broken_ = false;
  /// Another event is in the place of one that the journal has: a signature may be one of ours, and the event was taken
  /// back on record.
  bool diverged_ = false;
  bool ended_ = false;
  bool started_ = false;
  std::optional<signing_statement> statement_;
  /// Behind `vouched_`, the last few.
  std::deque<signed_event> signed_;
};

}  // namespace cellos
