#pragma once

#include <prometheus/histogram.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "actors/events.hpp"
#include "actors/progress_board.hpp"
#include "runtime/control/node_board.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/probes/probe_runner.hpp"

namespace cellos {

/// What the daemon counts, in Prometheus' text form. docs/operations.md explains each name.
///
/// Counts of frames are taken together (see host_counts): at each scrape received = appended + heartbeats + refused +
/// quarantined + in flight, and none ever goes back while the daemon lives.
class metrics {
 public:
  struct sources {
    std::string version;
    std::string host_id;
    const segment_log& log;
    const operator_events& events;
    /// SINKs whose log takes nothing.
    std::function<int()> blocked_sinks;
    std::function<std::size_t()> actors_hung;
    /// Lines of the operator's log that nobody took in time.
    std::function<std::uint64_t()> log_lines_lost = [] { return std::uint64_t{0}; };
    /// Null: of a daemon that is no node.
    const node_board* nodes = nullptr;
    /// What the host read for itself.
    std::function<probe_runner::counts()> probes = [] { return probe_runner::counts{}; };
  };

  explicit metrics(sources from);

  /// How many cells have series of their own. Thread-safe, like all of this.
  void set_per_cell(std::size_t cells) { per_cell_ = cells; }
  /// And of a collector how many hosts.
  void set_per_host(std::size_t hosts) { per_host_ = hosts; }
  void append_took(std::chrono::nanoseconds duration);
  void request_refused() { ++requests_refused_; }

  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";
  std::string text(const host_counts& counts) const;

 private:
  const sources from_;
  std::atomic<std::size_t> per_cell_{0};
  std::atomic<std::size_t> per_host_{0};
  std::atomic<std::uint64_t> requests_refused_{0};
  prometheus::Histogram append_seconds_;
};

}  // namespace cellos
