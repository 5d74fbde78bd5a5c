#include "actors/silence_trigger.hpp"

#include <utility>

namespace cellos {

std::optional<agent_silenced> silence_trigger::fire(monotonic_time now, monotonic_time last_accepted) {
  if (!exceeded(now, last_accepted) || std::exchange(spent_, true)) return std::nullopt;
  return agent_silenced{window_, last_accepted, now};
}

}  // namespace cellos
