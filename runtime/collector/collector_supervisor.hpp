#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/collector/collector_events.hpp"
#include "runtime/collector/collector_interfaces.hpp"
#include "runtime/collector/host_account.hpp"
#include "runtime/collector/host_board.hpp"

namespace cellos {

struct collector_settings {
  /// A host that says nothing for so long counts as silent.
  std::chrono::milliseconds silence_window{15'000};
  /// How long the process that speaks for a host may take to show that it lives. Default: chosen here.
  std::chrono::milliseconds ping_timeout{2000};
  /// Who starts it recalls which hosts were silent; no silence is reported before.
  bool awaits_recall = false;
  /// Bytes a second that one host may have kept; 0: no limit.
  std::uint64_t host_bytes_per_second = 0;
  /// Where the supervisor shows which hosts there are. Not null.
  std::shared_ptr<host_board> board = std::make_shared<host_board>();
};

struct collector_supervisor_state {
  static constexpr const char* name = "collector.supervisor";
  collector_supervisor_state() = default;

  struct live_session {
    caf::strong_actor_ptr session;
    caf::strong_actor_ptr forwarder;
    std::uint64_t boot_nonce = 0;
  };
  struct host {
    host_account_ptr account;
    host_presence presence;
    live_session live;
    /// A session has spoken for it since this process began.
    bool was_admitted = false;
  };
  std::map<std::string, host> hosts;
  collector_settings settings;
  collector_events* events = nullptr;
  bool awaits_recall = false;
  /// When the timer is due; and since when this process has been listening without a pause of its own.
  monotonic_time due{};
  monotonic_time listening_since{};
};

/// `known_hosts`: of whom there are copies; they count as heard now. `events` must outlive the actor.
collector_actor::behavior_type make_collector_supervisor(
    collector_actor::stateful_pointer<collector_supervisor_state> self, collector_settings settings,
    const std::vector<std::string>& known_hosts, collector_events* events);

}  // namespace cellos
