#include "runtime/control/node_board.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cellos {

void node_board::show(const void* who, node_source source) {
  const std::lock_guard guard{mutex_};
  sources_.insert_or_assign(who, std::move(source));
}

void node_board::hide(const void* who) {
  const std::lock_guard guard{mutex_};
  sources_.erase(who);
}

std::vector<forwarding_status> node_board::forwarders() const {
  std::vector<forwarding_status> all;
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (source.forwarder) all.push_back(source.forwarder());
  }
  std::ranges::sort(all, {}, &forwarding_status::name);
  return all;
}

std::vector<transport_status> node_board::transports() const {
  std::vector<transport_status> all;
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (source.transport) all.push_back(source.transport());
  }
  std::ranges::sort(all, {}, &transport_status::role);
  return all;
}

std::vector<certificate_status> node_board::certificates() const {
  std::vector<certificate_status> all;
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (!source.certificate) continue;
    if (auto shown = source.certificate()) all.push_back(*std::move(shown));
  }
  std::ranges::sort(all, {}, [](const certificate_status& each) { return std::tie(each.role, each.file); });
  return all;
}

std::optional<collection_status> node_board::collection() const {
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (source.collection) return source.collection();
  }
  return std::nullopt;
}

std::optional<std::vector<host_status>> node_board::hosts() const {
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (source.hosts) return source.hosts();
  }
  return std::nullopt;
}

cell_figures node_board::cells() const {
  const std::lock_guard guard{mutex_};
  for (const auto& [who, source] : sources_) {
    if (source.cells) return source.cells();
  }
  return {};
}

}  // namespace cellos
