#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "actors/fair_turns.hpp"
#include "actors/host_environment.hpp"
#include "actors/interfaces.hpp"
#include "actors/sink_journal.hpp"

namespace cellos {

/// Counts a SINK whose log takes nothing for as long as it lives.
class blocked_mark {
 public:
  explicit blocked_mark(std::atomic<int>& blocked) : blocked_(blocked) { ++blocked_; }
  ~blocked_mark() { --blocked_; }
  blocked_mark(const blocked_mark&) = delete;
  blocked_mark& operator=(const blocked_mark&) = delete;

 private:
  std::atomic<int>& blocked_;
};

struct sink_state {
  static constexpr const char* name = "host.sink";
  sink_state() = default;

  sink_journal_ptr journal;
  host_chain_actor host_chain;
  const host_environment* host = nullptr;

  /// Due once so many of the journal's bytes are in the log.
  template <class What>
  struct due {
    std::uint64_t bytes = 0;
    What what;
  };
  struct acknowledgement {
    chunk_credit_ptr credit;
    std::uint64_t sequence;
  };
  /// A chunk's batch, or what stands in for it, from the DECODER of `run`.
  struct arrival {
    host_stamp_ptr run;
    std::variant<batch_ptr, quarantined_chunk> what;
    chunk_credit_ptr credit;
  };
  /// A silence keeps its place behind the frames that came before it, and so does a reading.
  using work = std::variant<arrival, agent_silenced, probe_reading_ptr>;
  std::deque<due<acknowledgement>> due_acknowledgements;
  std::deque<due<std::function<void()>>> due_answers;
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
  /// The HOST CHAIN is asked to append what the journal has for it. Numbers the requests: the outcome of an earlier one
  /// is ignored.
  bool asks_host_chain = false;
  std::uint64_t host_chain_request = 0;
  /// It died of the last request.
  bool host_chain_died = false;
  bool blocked = false;
  std::error_code blocked_by{};
  monotonic_time blocked_since{};
  /// Held while blocked.
  std::optional<blocked_mark> reported_blocked;
};

/// `host` must outlive the actor. `host_chain`: null where the journal lists no runs, or until there is one.
sink_actor::behavior_type make_sink(sink_actor::stateful_pointer<sink_state> self, sink_journal_ptr journal,
                                    host_chain_actor host_chain, const host_environment& host);

}  // namespace cellos
