#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/ports.hpp"
#include "messages/chain_head.hpp"
#include "messages/chain_position.hpp"
#include "messages/host_event.hpp"

namespace cellos {

/// The host's own chain: what belongs to no run, and which runs there are, so that one taken out as a whole is missed.
///
/// Thread-safe. Each call appends one event at once. What the log does not take stays and goes first the next time;
/// `flush` tries again.
class host_event_chain {
 public:
  /// Goes on with the chain an earlier process left, if its digests are as this sealing's.
  host_event_chain(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                   const event_sealing_ptr& sealing, const std::optional<chain_position>& left, chain_epochs& epochs);

  /// `former`: the chain whose place this one takes, if it is a new one; otherwise null.
  void started(std::string_view daemon_version, const former_chain* former = nullptr);
  void stopped();
  void run_opened(std::string_view chain);
  void run_closed(const run_end_mark& end);
  /// All of it in one append. An error leaves it to the next `flush`: it is not to be recorded again.
  std::error_code evidence_removed(const evidence_removal& removal);
  void segments_missing(std::uint64_t first_segment, std::uint64_t last_segment);
  void evidence_truncated(std::string_view file, std::uint64_t bytes_removed);
  void evidence_blocked(std::string_view cause, std::chrono::nanoseconds blocked_for);
  /// The next event is the first under the new key; the change is reported before it.
  void change_key(const event_sealing_ptr& sealing);

  std::error_code flush();
  /// Where the chain stands, for one that takes its place.
  former_chain end();

  void found(const recovery_finding& finding);

  /// Appends lines of runs in one piece with what this chain says of them: `opened` before the lines, `findings` and
  /// `ended` behind, so that neither is ever in the log without the other. On an error none of it happened.
  std::error_code append(std::string_view lines, std::span<const chain_head> heads, std::span<const std::string> opened,
                         std::span<const run_end_mark> ended, std::span<const recovery_finding> findings = {});

 private:
  template <class Make>
  void record(Make&& make);
  template <class Make>
  void render(Make&& make);
  void render_listing(std::string_view chain, run_listing::kind what, const run_end_mark* end);
  std::error_code append_pending();
  std::error_code write_pending(std::span<const chain_head> heads_of_runs);

  const wall_clock& clock_;
  evidence_log& log_;
  std::mutex mutex_;
  host_projection projection_;
  std::string pending_;
  /// Said by the pending events.
  std::vector<run_listing> listings_;
};

}  // namespace cellos
