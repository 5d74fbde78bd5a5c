#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "runtime/probes/firecracker_api.hpp"
#include "runtime/probes/metrics_account.hpp"
#include "runtime/probes/metrics_file.hpp"
#include "runtime/probes/probe.hpp"

namespace cellos {

/// `host.fc_metrics`: what Firecracker writes of itself, to the file or FIFO of `PUT /metrics`. Needs to read it, which
/// in a jail is the VMM's own.
///
/// Where documents came, the reading has the last one whole, and the sums of all since the probe began. A VMM that has
/// written none for a time is `timed_out`, lines that are none are `malformed_source`; neither loses what follows.
class fc_metrics_probe final : public probe {
 public:
  struct options {
    metrics_limits limits{};
    metrics_read_limits read_limits{};
    /// Firecracker flushes every 60 s: twice that, and time for a busy host.
    std::chrono::nanoseconds stale_after = std::chrono::seconds{150};
    /// Where to ask for them before each reading; nothing: they are read as they come.
    std::optional<firecracker_api_place> flush_at{};
    /// How long its answer is waited for; Firecracker's own takes a millisecond.
    std::chrono::nanoseconds longest_flush = std::chrono::milliseconds{100};
    /// After no answer in time, so many readings go without asking: readers are few, and wait for all cells.
    std::uint32_t readings_unasked = 9;
  };

  explicit fc_metrics_probe(metrics_place place) : fc_metrics_probe(std::move(place), options{}) {}
  fc_metrics_probe(metrics_place place, const options& chosen);

  host_probe source() const override { return host_probe::fc_metrics; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  void flush(monotonic_time deadline);
  probe_reading reading_of(const metrics_file::piece& piece, std::uint64_t documents) const;

  std::string path_;
  std::chrono::nanoseconds stale_after_;
  std::optional<firecracker_api_place> flush_at_;
  std::chrono::nanoseconds longest_flush_;
  std::uint32_t readings_unasked_;
  /// Readings that are still to go without asking, and why.
  std::uint32_t unasked_ = 0;
  std::optional<probe_error> not_flushed_;
  metrics_file file_;
  metrics_account account_;
  std::optional<monotonic_time> last_document_;
};

}  // namespace cellos
