#include "runtime/os/claimed_places.hpp"

#include <cerrno>

namespace cellos {

claimed_places& claimed_places::of_this_process() {
  static auto* const instance = new claimed_places;
  return *instance;
}

std::optional<claimed_places::claim> claimed_places::another_than(const std::string& holder,
                                                                  const socket_identity& place, socket_calls& calls) {
  const auto known = claims_.find(place);
  if (known == claims_.end() || known->second.holder == holder) return std::nullopt;
  const auto leads_to = socket_place::open(known->second.path, calls);
  const bool unknown = !leads_to && errno != ENOENT && errno != ENOTDIR;
  if (unknown || (leads_to && leads_to->identity() == place)) return known->second;
  claims_.erase(known);
  return std::nullopt;
}

void claimed_places::add(const socket_identity& place, const std::string& holder, const std::string& path) {
  const auto [known, added] = claims_.try_emplace(place, claim{holder, path});
  if (!added) ++known->second.times;
}

void claimed_places::remove(const socket_identity& place, const std::string& holder) {
  const auto known = claims_.find(place);
  if (known == claims_.end() || known->second.holder != holder) return;
  if (--known->second.times == 0) claims_.erase(known);
}

}  // namespace cellos
