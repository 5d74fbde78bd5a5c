#include "runtime/control/metrics.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/control/exposition.hpp"
#include "runtime/control/node_metrics.hpp"
#include "runtime/control/probe_metrics.hpp"
#include "runtime/control/process_usage.hpp"

namespace cellos {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using labels = exposition::labels;

/// From what a write to the kernel's memory takes to what a disk that is about to fail takes.
const prometheus::Histogram::BucketBoundaries append_buckets{
    20e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

std::string as_label(std::string_view role) {
  std::string out{role};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c == ' ' ? '_' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

struct sums {
  run_totals frames;
  std::uint64_t connections_refused = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t bytes_received = 0;
  std::array<std::uint64_t, 3> in_state{};
};

sums sums_of(const host_counts& counts) {
  sums all{counts.ended.totals, counts.ended.connections_refused, 0, counts.ended.bytes_received, {}};
  for (const cell_on_board& cell : counts.cells) {
    all.frames += cell.counts.totals;
    all.connections_refused += cell.counts.connections_refused;
    all.connections_open += cell.counts.connections_open;
    all.bytes_received += cell.counts.bytes_received;
    if (cell.counts.bound) ++all.in_state[static_cast<std::size_t>(cell.counts.state())];
  }
  return all;
}

void write_frames(exposition& out, const sums& all) {
  out.counter("frames_received_total", "Frames read from cells' connections.", all.frames.received);
  out.counter("declarations_appended_total", "Declarations in the evidence log.", all.frames.appended);
  out.counter("heartbeats_total", "Accepted signs of life; counted, not appended.", all.frames.heartbeats);
  out.begin(std::string{metric_prefix} + "frames_refused_total", "Frames refused, by reason.", MetricType::Counter);
  for (const telemetry_errc kind : refusal_kinds) {
    out.counted({{"reason", std::string{to_string(kind)}}}, all.frames.refused[kind]);
  }
  out.counter("frames_quarantined_total", "Frames set aside with the chunk they came in.", all.frames.quarantined);
  out.gauge("frames_in_flight", "Frames received and in none of the other accounts.",
            static_cast<double>(all.frames.in_flight()));
  out.counter("forged_attribution_total", "Accepted frames that tried to fill attribution.",
              all.frames.forged_attribution);
  out.counter("received_bytes_total", "Bytes read from cells' connections.", all.bytes_received);
}

void write_cells(exposition& out, const sums& all, const event_counts& seen) {
  out.begin(std::string{metric_prefix} + "cells", "Cells by state.", MetricType::Gauge);
  for (const cell_state state : {cell_state::listening, cell_state::connected, cell_state::silenced}) {
    out.gauged({{"state", std::string{to_string(state)}}},
               static_cast<double>(all.in_state[static_cast<std::size_t>(state)]));
  }
  out.counter("agent_silenced_total", "Silences reported; one a run at most.", seen.agents_silenced);
  out.counter("agent_resumed_total", "Agents that were heard again after their silence was reported.",
              seen.agents_resumed);
  out.gauge("connections_open", "Connections of cells.", static_cast<double>(all.connections_open));
  out.counter("connections_accepted_total", "Connections of cells that were accepted.", all.frames.connections);
  out.counter("connections_refused_total", "Connections of cells that were closed at once.", all.connections_refused);
  out.counter("sockets_lost_total", "Sockets of cells whose file was found gone or another's.", seen.sockets_lost);
  out.counter("sockets_restored_total", "Such sockets that guests find again.", seen.sockets_restored);
  out.counter("cells_failed_total", "Cells whose actors died too often.", seen.cells_failed);
  out.counter("chunks_quarantined_total", "Chunks set aside because decoding them ended two decoders.",
              seen.chunks_quarantined);
  out.counter("attributions_refused_total",
              "Batches that were not attributed to their run; their chunks are set aside.", seen.attributions_refused);
}

void write_evidence(exposition& out, const segment_log_statistics& log, bool blocked, ClientMetric append_seconds) {
  out.gauge("evidence_bytes", "Bytes of the evidence log on disk.", static_cast<double>(log.bytes_on_disk));
  out.gauge("evidence_segments", "Segments of the evidence log on disk.", static_cast<double>(log.segments));
  out.counter("evidence_segments_removed_total", "Oldest segments removed to stay within max_bytes.",
              log.segments_removed);
  out.begin(std::string{metric_prefix} + "evidence_append_seconds", "How long an append to the evidence log took.",
            MetricType::Histogram);
  out.observed(std::move(append_seconds));
  out.counter("evidence_append_errors_total", "Appends that the evidence log refused.", log.append_errors);
  out.counter("evidence_commits_total", "Flushes of the evidence log to the disk.", log.commits);
  out.counter("evidence_commit_errors_total", "Flushes of the evidence log to the disk that failed.",
              log.commit_errors);
  out.counter("evidence_in_doubt_bytes_total", "Bytes appended whose flush failed.", log.bytes_in_doubt);
  out.gauge("evidence_blocked", "1 while the evidence log takes nothing and guests wait.", blocked ? 1 : 0);
}

void write_daemon(exposition& out, const event_counts& seen, std::size_t hung, std::uint64_t log_lines_lost) {
  out.begin(std::string{metric_prefix} + "actor_failures_total", "Actors that died and were replaced, by role.",
            MetricType::Counter);
  for (const auto& [role, failures] : seen.actor_failures()) out.counted({{"role", as_label(role)}}, failures);
  out.gauge("actors_hung", "Actors whose handler does not come back.", static_cast<double>(hung));
  out.begin(std::string{metric_prefix} + "reloads_total", "Reloads of the configuration, by outcome.",
            MetricType::Counter);
  out.counted({{"outcome", "applied"}}, seen.reloads_applied);
  out.counted({{"outcome", "refused"}}, seen.reloads_refused);
  out.counter("event_streams_dropped_total", "Clients of /events that did not keep up.", seen.event_streams_dropped);
  out.counter("log_lines_lost_total", "Lines of the daemon's own log that nobody took in time.", log_lines_lost);
  out.counter("signals_ignored_total", "Signals that mean nothing to the daemon.", seen.signals_ignored);
}

void write_process(exposition& out, const process_usage& used) {
  out.begin("process_cpu_seconds_total", "CPU time of the process.", MetricType::Counter);
  out.counted_seconds(used.cpu_seconds);
  out.begin("process_resident_memory_bytes", "Memory of the process that is resident.", MetricType::Gauge);
  out.gauged({}, static_cast<double>(used.resident_bytes));
  out.begin("process_open_fds", "Descriptors the process has open.", MetricType::Gauge);
  out.gauged({}, static_cast<double>(used.open_descriptors));
  out.begin("process_max_fds", "Descriptors the process may have open.", MetricType::Gauge);
  out.gauged({}, static_cast<double>(used.most_descriptors));
  out.begin("process_start_time_seconds", "When the process began, since 1970.", MetricType::Gauge);
  out.gauged({}, used.started_at);
}

/// The cells with the most frames.
void write_busiest(exposition& out, std::vector<cell_on_board> cells, std::size_t most) {
  if (most == 0) return;
  const auto end = cells.begin() + static_cast<std::ptrdiff_t>(std::min(most, cells.size()));
  const auto received = [](const cell_on_board& cell) { return cell.counts.totals.received + cell.earlier.received; };
  std::partial_sort(cells.begin(), end, cells.end(), [&](const auto& a, const auto& b) {
    return std::pair{received(b), std::string_view{a.id}} < std::pair{received(a), std::string_view{b.id}};
  });
  const auto each = [&](const char* name, const char* help, MetricType type, auto value) {
    out.begin(std::string{metric_prefix} + name, help, type);
    for (auto cell = cells.begin(); cell != end; ++cell) {
      const labels whose{{"cell", cell->id}};
      const auto is = static_cast<double>(value(*cell));
      type == MetricType::Counter ? out.counted(whose, static_cast<std::uint64_t>(is)) : out.gauged(whose, is);
    }
  };
  each("cell_frames_received_total", "Frames read from this cell.", MetricType::Counter, received);
  each("cell_declarations_appended_total", "Declarations of this cell in the evidence log.", MetricType::Counter,
       [](const cell_on_board& cell) { return cell.of_all_runs().appended; });
  each("cell_frames_refused_total", "Frames of this cell that were refused.", MetricType::Counter,
       [](const cell_on_board& cell) { return cell.of_all_runs().refused.total(); });
  each("cell_connections_open", "Connections of this cell.", MetricType::Gauge,
       [](const cell_on_board& cell) { return cell.counts.connections_open; });
  each("cell_silenced", "1 while this cell's agent is silent.", MetricType::Gauge,
       [](const cell_on_board& cell) { return cell.counts.silenced ? 1 : 0; });
}

}  // namespace

metrics::metrics(sources from) : from_(std::move(from)), append_seconds_(append_buckets) {
  (void)usage_of_this_process();  // notes when the process began
}

void metrics::append_took(std::chrono::nanoseconds duration) {
  append_seconds_.Observe(std::chrono::duration<double>(duration).count());
}

std::string metrics::text(const host_counts& counts) const {
  const sums all = sums_of(counts);
  const event_counts& seen = from_.events.counts();
  exposition out;
  out.begin(std::string{metric_prefix} + "build_info", "Which daemon this is; always 1.", MetricType::Gauge);
  out.gauged({{"version", from_.version}, {"host_id", from_.host_id}}, 1);
  write_frames(out, all);
  write_cells(out, all, seen);
  write_evidence(out, from_.log.statistics(), from_.blocked_sinks() > 0, append_seconds_.Collect());
  write_daemon(out, seen, from_.actors_hung(), from_.log_lines_lost());
  write_probe_metrics(out, from_.probes(), counts, seen);
  const node_board no_node;
  write_node_metrics(out, from_.nodes != nullptr ? *from_.nodes : no_node, seen, per_host_);
  out.counter("control_requests_refused_total", "Requests refused for who asked, or for a head nobody can be sure of.",
              requests_refused_);
  write_process(out, usage_of_this_process());
  write_busiest(out, counts.cells, per_cell_);
  return out.text();
}

}  // namespace cellos
