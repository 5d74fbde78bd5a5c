#include "runtime/collector/reported_collector_events.hpp"

#include <utility>

namespace cellos {

std::optional<std::uint64_t> reported_collector_events::may_report(kind what) {
  const std::lock_guard guard{mutex_};
  limit& of = limits_.at(what);
  const monotonic_time now = clock_.now();
  if (of.last && now - *of.last < std::chrono::seconds{1}) {
    ++of.held_back;
    return std::nullopt;
  }
  of.last = now;
  return std::exchange(of.held_back, 0);
}

void reported_collector_events::host_refused(const peer_identity& host, node_refusal reason) {
  const auto held_back = may_report(refused);
  if (held_back) events_.host_refused(host.host_id, host.address, to_string(reason), *held_back);
}

void reported_collector_events::host_doubled(const peer_identity& host) {
  const auto held_back = may_report(doubled);
  if (held_back) events_.host_doubled(host.host_id, host.address, *held_back);
}

void reported_collector_events::copy_failed(std::string_view host_id, const std::error_code& cause) {
  const auto held_back = may_report(failed);
  if (held_back) events_.copy_failed(host_id, cause, *held_back);
}

}  // namespace cellos
