#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/restart_intensity.hpp"
#include "actors/sink_journal.hpp"

namespace cellos {

struct host_environment;
struct host_resources;

/// The SINKs of a host, over which its cells are spread by name. Each works on a journal that outlives it. The HOST
/// SUPERVISOR's alone.
class sink_pool {
 public:
  sink_pool() = default;
  /// Places for `sinks`, at least one, none of which runs yet. `host` must outlive it.
  sink_pool(std::size_t sinks, const host_resources& resources, const host_environment& host);

  std::size_t size() const { return places_.size(); }
  /// A cell of this name is served here, always.
  std::size_t place_of(std::string_view cell_id) const;
  /// Which SINK this was, if it was one.
  std::optional<std::size_t> place_of(const caf::actor_addr& dead) const;
  /// Null while it waits to be started again.
  const sink_actor& at(std::size_t place) const { return places_[place].actor; }

  /// Starts one on what its predecessor left. `host_chain`: null until there is one.
  void start(caf::scheduled_actor* supervisor, std::size_t place, const host_chain_actor& host_chain);
  /// Of one that died: false if it died too often, and is not to be started before the limits' pause.
  bool may_restart(std::size_t place, monotonic_time now);
  std::vector<std::size_t> not_running() const;

 private:
  struct sink_place {
    sink_journal_ptr journal;
    sink_actor actor;
    restart_intensity restarts{restart_limits{}};
  };

  const host_environment* host_ = nullptr;
  std::vector<sink_place> places_;
};

}  // namespace cellos
