#include "actors/sink_pool.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "actors/host_environment.hpp"
#include "actors/host_resources.hpp"
#include "actors/sink.hpp"
#include "actors/supervision.hpp"

namespace cellos {

sink_pool::sink_pool(std::size_t sinks, const host_resources& resources, const host_environment& host) : host_(&host) {
  places_.resize(std::max<std::size_t>(sinks, 1));
  for (std::size_t place = 0; place < places_.size(); ++place) {
    const std::string origin = resources.host_chain != nullptr ? "SINK " + std::to_string(place) : std::string{};
    places_[place].journal = std::make_shared<sink_journal>(host.log, host.clock, resources.sealing, origin,
                                                            resources.epochs, host.cell_share);
    places_[place].restarts = restart_intensity{host.limits};
  }
}

std::size_t sink_pool::place_of(std::string_view cell_id) const {
  return std::hash<std::string_view>{}(cell_id) % places_.size();
}

std::optional<std::size_t> sink_pool::place_of(const caf::actor_addr& dead) const {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].actor && dead == places_[i].actor) return i;
  }
  return std::nullopt;
}

void sink_pool::start(caf::scheduled_actor* supervisor, std::size_t place, const host_chain_actor& host_chain) {
  sink_place& sink = places_[place];
  sink.actor = monitor_child(supervisor,
                             supervisor->spawn<caf::monitored>(make_sink, sink.journal, host_chain, std::cref(*host_)));
}

bool sink_pool::may_restart(std::size_t place, monotonic_time now) {
  sink_place& sink = places_[place];
  if (sink.restarts.permit(now)) return true;
  sink.actor = nullptr;
  sink.restarts.forgive();
  return false;
}

std::vector<std::size_t> sink_pool::not_running() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].actor) found.push_back(i);
  }
  return found;
}

}  // namespace cellos
