#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "messages/run_totals.hpp"
#include "messages/telemetry_errc.hpp"

namespace cellos {

/// How far a run is, for whoever watches it without asking: one thread publishes, any thread reads, nobody waits.
///
/// Each count is stored by itself. A reader that looks at what was received only after `read` finds at least what is
/// settled.
class run_progress {
 public:
  struct reading {
    /// `received` is what an earlier process knew of; `connections` is not counted here.
    run_totals totals;
    bool silenced = false;
  };

  void publish(const run_totals& totals, std::uint64_t received_before, bool silenced) {
    constexpr auto order = std::memory_order_release;
    received_before_.store(received_before, order);
    appended_.store(totals.appended, order);
    heartbeats_.store(totals.heartbeats, order);
    quarantined_.store(totals.quarantined, order);
    forged_attribution_.store(totals.forged_attribution, order);
    for (std::size_t i = 0; i < refused_.size(); ++i) refused_[i].store(totals.refused[refusal_kinds[i]], order);
    silenced_.store(silenced, order);
  }

  reading read() const {
    constexpr auto order = std::memory_order_acquire;
    reading now;
    now.totals.received = received_before_.load(order);
    now.totals.appended = appended_.load(order);
    now.totals.heartbeats = heartbeats_.load(order);
    now.totals.quarantined = quarantined_.load(order);
    now.totals.forged_attribution = forged_attribution_.load(order);
    for (std::size_t i = 0; i < refused_.size(); ++i) now.totals.refused.add(refusal_kinds[i], refused_[i].load(order));
    now.silenced = silenced_.load(order);
    return now;
  }

 private:
  std::atomic<std::uint64_t> received_before_{0};
  std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> heartbeats_{0};
  std::atomic<std::uint64_t> quarantined_{0};
  std::atomic<std::uint64_t> forged_attribution_{0};
  std::array<std::atomic<std::uint64_t>, refusal_kinds.size()> refused_{};
  std::atomic<bool> silenced_{false};
};

using run_progress_ptr = std::shared_ptr<run_progress>;

}  // namespace cellos
