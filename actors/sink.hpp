#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/fair_turns.hpp"
#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"
#include "actors/sink_journal.hpp"

namespace cellos {

struct sink_state {
  static constexpr const char* name = "host.sink";
  sink_state() = default;

  sink_journal_ptr journal;
  const host_environment* host = nullptr;

  struct acknowledgement {
    credit_actor credit;
    std::uint64_t sequence;
  };
  /// A chunk's batch, or what stands in for it, from the DECODER of `run`.
  struct arrival {
    host_stamp_ptr run;
    std::variant<batch_ptr, quarantined_chunk> what;
    credit_actor credit;
  };
  /// A silence keeps its place behind the frames that came before it.
  using work = std::variant<arrival, agent_silenced>;
  /// Sent once the pending lines are in the log.
  std::vector<acknowledgement> due_acknowledgements;
  std::vector<std::function<void()>> due_answers;
  /// What is not in the journal yet; costs are events to make. Chunks hold the only memory.
  fair_turns<host_stamp_ptr, work, sink_journal::by_name> turns;
  bool turn_scheduled = false;
  /// Those that are held back are looked at again.
  bool hold_scheduled = false;
  activity_ptr activity;
  bool flush_scheduled = false;
  bool tick_scheduled = false;
  bool checkpoint_scheduled = false;
  /// The last flush went there.
  std::uint64_t segment = 0;
  bool blocked = false;
  std::error_code blocked_by{};
  monotonic_time blocked_since{};
  /// Held while blocked.
  std::optional<blocked_mark> reported_blocked;
};

/// `host` must outlive the actor.
sink_actor::behavior_type make_sink(sink_actor::stateful_pointer<sink_state> self, sink_journal_ptr journal,
                                    const host_environment& host);

}  // namespace cellos
