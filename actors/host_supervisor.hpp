#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/cell_resources.hpp"
#include "actors/cell_sighting.hpp"
#include "actors/cell_supervisor.hpp"
#include "actors/host_resources.hpp"
#include "actors/interfaces.hpp"
#include "actors/sink_pool.hpp"
#include "actors/socket_path_index.hpp"

namespace cellos {

struct host_supervisor_state {
  static constexpr const char* name = "host.supervisor";
  host_supervisor_state() = default;

  using on_retired = std::function<void(const caf::expected<run_totals>&)>;

  struct cell_record {
    cell_resources_ptr cell;
    cell_supervisor_actor supervisor;
    std::size_t sink = 0;
    /// Set until the cell is admitted.
    std::optional<caf::typed_response_promise<cell_status>> admit_answer;
    /// Numbers the requests to admit; answers to an earlier one are ignored.
    std::uint64_t admit_attempt = 0;
    bool retiring = false;
    run_end_reason end_reason{};
    /// Gets the totals once the cell is retired.
    on_retired retired;
    /// Numbers the requests to retire; answers to an earlier one are ignored.
    std::uint64_t retire_attempt = 0;
    cell_sighting sighting;
    restart_intensity restarts{restart_limits{}};
  };

  const host_environment* host = nullptr;
  host_resources* resources = nullptr;
  activity_ptr activity;
  /// Null while it waits to be started again, and where no chain of the host's own is kept.
  host_chain_actor host_chain;
  restart_intensity host_chain_restarts{restart_limits{}};
  /// Null while it waits to be started again, and on a host without probes.
  probe_scheduler_actor probe_scheduler;
  restart_intensity probe_scheduler_restarts{restart_limits{}};
  /// Started so far.
  std::uint64_t probe_schedulers = 0;
  sink_pool sinks;
  std::map<std::string, cell_record, std::less<>> cells;
  /// The cells of the CELL SUPERVISORs that live.
  std::unordered_map<caf::actor_addr, std::string> supervised;
  /// Cells whose CELL SUPERVISOR died too often: each gets another one after a pause.
  std::set<std::string> to_replace;
  /// Of `cells`.
  socket_path_index socket_paths;
  /// Of cells that are gone; `cells` stays empty.
  host_accounts ended;
  bool stopping = false;
  /// While stopping: cells that have yet to end, and how many ended badly.
  std::size_t cells_ending = 0;
  std::uint64_t cells_not_drained = 0;
  std::optional<caf::typed_response_promise<std::uint64_t>> stop_answer;
};

/// `sinks`: how many SINKs share the cells. `resources` and `host` must outlive the actor; nobody else may use the
/// former while it lives.
host_supervisor_actor::behavior_type make_host_supervisor(
    host_supervisor_actor::stateful_pointer<host_supervisor_state> self, std::size_t sinks, host_resources* resources,
    const host_environment& host);

}  // namespace cellos
