#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "actors/chain_epochs.hpp"
#include "actors/ports.hpp"
#include "messages/chain_position.hpp"
#include "messages/host_event.hpp"
#include "messages/joint_append.hpp"

namespace cellos {

/// The host's own chain: what belongs to no run, and which runs there are, so that one taken out as a whole is missed.
///
/// What the HOST CHAIN works on and must not lose: lives outside the actor, so that one that died is replaced by one
/// that goes on where it was. Used by one at a time, before and after the actors by the daemon itself; not thread-safe.
class host_event_chain {
 public:
  /// Goes on with the chain an earlier process left, if its digests are as this sealing's.
  host_event_chain(const std::string& host_id, evidence_log& log, const wall_clock& clock,
                   const event_sealing_ptr& sealing, const std::optional<chain_position>& left, chain_epochs& epochs);

  /// In one append, whole or not at all: what is said before the lines, the lines, what is said behind them. One whose
  /// number was appended is not appended again. On an error, and when it throws, the chain is where it was.
  std::error_code append(const joint_append& what);
  /// One statement by itself.
  std::error_code record(host_statement said);

  /// The next event is the first under the new key; the change is reported before it.
  void change_key(const event_sealing_ptr& sealing);

  /// Where the chain stands, for one that takes its place.
  former_chain end() const;

 private:
  struct rendering;

  void say(rendering& into, const host_statement& said);
  std::error_code write(const joint_append& what);

  const wall_clock& clock_;
  evidence_log& log_;
  host_projection projection_;
  /// By origin: the number of the last that is in the log.
  std::map<std::string, std::uint64_t, std::less<>> appended_;
};

}  // namespace cellos
