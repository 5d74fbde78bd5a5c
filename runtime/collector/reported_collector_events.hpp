#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "actors/events.hpp"
#include "messages/clock.hpp"
#include "runtime/collector/collector_events.hpp"

namespace cellos {

/// A collector's events as lines of the operator's log. Of those that a host can cause as often as it likes, one a
/// second at most.
class reported_collector_events final : public collector_events {
 public:
  /// Both must outlive it.
  reported_collector_events(operator_events& events, const monotonic_clock& clock) : events_(events), clock_(clock) {}

  void host_connected(const peer_identity& host) override { events_.host_connected(host.host_id, host.address); }
  void host_refused(const peer_identity& host, node_refusal reason) override;
  void host_silenced(std::string_view host_id, std::chrono::nanoseconds unheard_for) override {
    events_.host_silenced(host_id, unheard_for);
  }
  void host_resumed(std::string_view host_id) override { events_.host_resumed(host_id); }
  void host_doubled(const peer_identity& host) override;
  void history_forked(std::string_view host_id, const begun_fork& fork) override {
    events_.history_forked(host_id, fork.name.fork);
  }
  void copy_failed(std::string_view host_id, const std::error_code& cause) override;

 private:
  enum kind : std::size_t { refused, doubled, failed };
  struct limit {
    std::optional<monotonic_time> last;
    std::uint64_t held_back = 0;
  };

  /// How many were held back, if this one has its line.
  std::optional<std::uint64_t> may_report(kind what);

  operator_events& events_;
  const monotonic_clock& clock_;
  std::mutex mutex_;
  std::array<limit, 3> limits_;
};

}  // namespace cellos
