#include "runtime/control/node_metrics.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cellos {

namespace {

using labels = exposition::labels;

double seconds_of(std::chrono::nanoseconds span) { return std::chrono::duration<double>{span}.count(); }

double seconds_of(wall_time time) { return seconds_of(time.time_since_epoch()); }

void write_events(exposition& out, const event_counts& seen) {
  out.counter("hosts_silenced_total", "Silences of hosts that a collector reported.", seen.hosts_silenced);
  out.counter("hosts_resumed_total", "Hosts that were heard again after that.", seen.hosts_resumed);
  out.counter("histories_forked_total", "Times that a host's log and a collector's copy did not say the same.",
              seen.histories_forked);
  out.counter("collectors_lost_total", "Times that a collector could not be reached or was lost.",
              seen.collectors_lost);
  out.counter("receivers_lost_total", "Times that a stream or an HTTP receiver could not be reached or was lost.",
              seen.receivers_lost);
  out.counter("receiver_refusals_total", "Times that a stream or an HTTP receiver took nothing for a while.",
              seen.lines_refused);
  out.counter("lines_removed_early_total", "Times that lines were removed soon after a stream acknowledged them.",
              seen.lines_removed_early);
  out.counter("lines_skipped_total", "Lines that were not delivered, as configured.", seen.lines_skipped);
  out.counter("deliveries_stopped_total", "Times that a receiver would not take a line and delivery stopped.",
              seen.deliveries_stopped);
}

void write_reasons(exposition& out, const std::vector<transport_status>& all, const char* name, const char* help,
                   const char* label, transport_status::by_reason transport_status::*which) {
  out.counters(name, help);
  for (const transport_status& each : all) {
    for (const auto& [reason, count] : each.*which) {
      out.counted({{"role", each.role}, {label, std::string{reason}}}, count);
    }
  }
}

void write_transports(exposition& out, const std::vector<transport_status>& all) {
  out.counters("node_connections_accepted_total", "Connections between nodes whose handshake was completed.");
  for (const transport_status& each : all) out.counted({{"role", each.role}}, each.accepted);
  out.gauges("node_connections_open", "Connections between nodes.");
  for (const transport_status& each : all) out.gauged({{"role", each.role}}, static_cast<double>(each.open));
  out.gauges("node_handshakes_pending", "Handshakes between nodes that go on.");
  for (const transport_status& each : all) {
    out.gauged({{"role", each.role}}, static_cast<double>(each.handshakes_pending));
  }
  write_reasons(out, all, "node_connections_refused_total", "Connections between nodes that were refused, by reason.",
                "reason", &transport_status::refused);
  write_reasons(out, all, "node_connections_closed_total", "Connections between nodes that ended, by reason.", "reason",
                &transport_status::closed);
  write_reasons(out, all, "node_violations_total", "What peers said that no peer may, by kind.", "violation",
                &transport_status::violations);
}

void write_certificates(exposition& out, const std::vector<certificate_status>& all) {
  out.gauges("certificate_expiry_timestamp_seconds", "When this node's certificate ends, since 1970.");
  for (const certificate_status& each : all) {
    out.gauged({{"role", each.role}, {"file", each.file}}, seconds_of(each.expires));
  }
}

void write_forwarders(exposition& out, const std::vector<forwarding_status>& all) {
  const auto each_gauge = [&](const char* name, const char* help, auto value) {
    out.gauges(name, help);
    for (const forwarding_status& each : all) out.gauged({{"forwarder", each.name}}, static_cast<double>(value(each)));
  };
  const auto each_counter = [&](const char* name, const char* help, auto value) {
    out.counters(name, help);
    for (const forwarding_status& each : all) out.counted({{"forwarder", each.name}}, value(each));
  };
  out.gauges("forwarder_state", "1 for the state that a forwarder of the evidence log is in.");
  for (const forwarding_status& each : all) {
    for (const forwarding_state state : forwarding_states) {
      out.gauged({{"forwarder", each.name}, {"state", std::string{to_string(state)}}}, each.state == state ? 1 : 0);
    }
  }
  out.gauges("forwarder_destination", "1 for whoever takes the lines of a forwarder.");
  for (const forwarding_status& each : all) {
    if (!each.destination.empty()) out.gauged({{"forwarder", each.name}, {"destination", each.destination}}, 1);
  }
  each_gauge("forwarder_lag_events", "Committed lines that are not acknowledged; by their length where not yet sent.",
             [](const forwarding_status& each) { return each.lag.lines; });
  each_gauge("forwarder_lag_bytes", "Bytes of committed lines that are not acknowledged.",
             [](const forwarding_status& each) { return each.lag.bytes; });
  each_gauge("forwarder_lag_seconds", "Age of the oldest committed line that is not acknowledged.",
             [](const forwarding_status& each) { return seconds_of(each.lag.age); });
  each_counter("forwarder_delivered_events_total", "Lines that were acknowledged.",
               [](const forwarding_status& each) { return each.lines_delivered; });
  each_counter("forwarder_delivered_bytes_total", "Bytes of lines that were acknowledged.",
               [](const forwarding_status& each) { return each.bytes_delivered; });
  each_counter("forwarder_sent_bytes_total",
               "Bytes that were sent for that; to collectors compressed, repetitions included.",
               [](const forwarding_status& each) { return each.bytes_sent; });
  each_counter("forwarder_gaps_total", "Times that retention had removed lines before they were delivered.",
               [](const forwarding_status& each) { return each.gaps; });
}

prometheus::ClientMetric histogram_of(const duration_counts::values& counted) {
  prometheus::ClientMetric metric;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counted.within.size(); ++i) {
    below += counted.within[i];
    const bool is_last = i == duration_counts::bounds.size();
    metric.histogram.bucket.push_back(
        {below, is_last ? std::numeric_limits<double>::infinity() : duration_counts::bounds[i]});
  }
  metric.histogram.sample_count = below;
  metric.histogram.sample_sum = counted.seconds;
  return metric;
}

void write_collection(exposition& out, const std::optional<collection_status>& taken) {
  const auto counter = [&](const char* name, const char* help, std::uint64_t collection_status::*which) {
    out.counters(name, help);
    if (taken) out.counted({}, *taken.*which);
  };
  counter("collector_received_bytes_total", "Bytes of hosts' lines that were taken.", &collection_status::bytes);
  counter("collector_received_events_total", "Lines of hosts that were taken, as the hosts count them.",
          &collection_status::lines);
  counter("collector_batches_total", "Batches of lines that were taken.", &collection_status::batches);
  counter("collector_batches_refused_total", "Batches that were no lines that a host may send.",
          &collection_status::refused);
  out.counters("collector_batches_held_back_total", "Batches that were not taken for now, by reason.");
  if (taken) {
    out.counted({{"reason", "over_quota"}}, taken->over_quota);
    out.counted({{"reason", "not_stored"}}, taken->not_stored);
    out.counted({{"reason", "crowded"}}, taken->crowded);
  }
  counter("collector_commit_errors_total", "Flushes of hosts' lines to the disk that failed.",
          &collection_status::commit_failures);
  out.begin(std::string{metric_prefix} + "collector_commit_seconds", "How long a flush of hosts' lines took.",
            prometheus::MetricType::Histogram);
  if (taken) out.observed(histogram_of(taken->commits));
}

/// Of all hosts together.
struct host_sums {
  std::size_t connected = 0;
  std::size_t disconnected = 0;
  std::size_t silenced = 0;
  std::size_t forked = 0;
  forwarding_lag lag;
  std::uint64_t silenced_cells = 0;
};

host_sums sums_of(const std::vector<host_status>& hosts) {
  host_sums all;
  for (const host_status& each : hosts) {
    ++(each.is_silent ? all.silenced : each.is_connected ? all.connected : all.disconnected);
    if (each.forks > 0) ++all.forked;
    const forwarding_lag lag = each.lag.value_or(forwarding_lag{});
    all.lag.lines += lag.lines;
    all.lag.bytes += lag.bytes;
    all.lag.age = std::max(all.lag.age, lag.age);
    all.silenced_cells += each.cells ? each.cells->silenced : 0;
  }
  return all;
}

void write_host_sums(exposition& out, const std::optional<host_sums>& all) {
  out.gauges("hosts", "Hosts that a collector knows, by state.");
  if (all) {
    out.gauged({{"state", "connected"}}, static_cast<double>(all->connected));
    out.gauged({{"state", "disconnected"}}, static_cast<double>(all->disconnected));
    out.gauged({{"state", "silenced"}}, static_cast<double>(all->silenced));
  }
  const auto gauge = [&](const char* name, const char* help, auto value) {
    out.gauges(name, help);
    if (all) out.gauged({}, static_cast<double>(value(*all)));
  };
  gauge("hosts_forked", "Hosts whose log does not say what was kept of it.",
        [](const host_sums& sums) { return sums.forked; });
  gauge("hosts_lag_events", "Lines that hosts have committed and this collector lacks, as they say.",
        [](const host_sums& sums) { return sums.lag.lines; });
  gauge("hosts_lag_bytes", "Bytes of them.", [](const host_sums& sums) { return sums.lag.bytes; });
  gauge("hosts_largest_lag_seconds", "Age of the oldest of them.",
        [](const host_sums& sums) { return seconds_of(sums.lag.age); });
  gauge("hosts_silenced_cells", "Cells of hosts whose agents are silent, as the hosts say.",
        [](const host_sums& sums) { return sums.silenced_cells; });
}

void write_hosts(exposition& out, std::vector<host_status> hosts, std::size_t most) {
  if (most == 0) return;
  const auto age = [](const host_status& host) { return host.lag ? host.lag->age : std::chrono::nanoseconds{-1}; };
  const auto end = hosts.begin() + static_cast<std::ptrdiff_t>(std::min(most, hosts.size()));
  std::partial_sort(hosts.begin(), end, hosts.end(), [&](const host_status& a, const host_status& b) {
    return age(a) != age(b) ? age(a) > age(b) : a.host_id < b.host_id;
  });
  hosts.erase(end, hosts.end());
  const auto each_gauge = [&](const char* name, const char* help, auto value) {
    out.gauges(name, help);
    for (const host_status& each : hosts) {
      if (const std::optional<double> is = value(each)) out.gauged({{"host", each.host_id}}, *is);
    }
  };
  const auto of_lag = [](auto value) {
    return [value](const host_status& host) -> std::optional<double> {
      return host.lag ? std::optional{static_cast<double>(value(*host.lag))} : std::nullopt;
    };
  };
  each_gauge("host_lag_events", "Lines that this host has committed and this collector lacks, as it says.",
             of_lag([](const forwarding_lag& lag) { return lag.lines; }));
  each_gauge("host_lag_bytes", "Bytes of them.", of_lag([](const forwarding_lag& lag) { return lag.bytes; }));
  each_gauge("host_lag_seconds", "Age of the oldest of them.",
             of_lag([](const forwarding_lag& lag) { return seconds_of(lag.age); }));
  each_gauge("host_unheard_seconds", "Since this host was last heard.",
             [](const host_status& host) { return std::optional{seconds_of(host.unheard_for)}; });
}

}  // namespace

void write_node_metrics(exposition& out, const node_board& board, const event_counts& seen,
                        std::size_t hosts_with_series) {
  write_events(out, seen);
  write_transports(out, board.transports());
  write_certificates(out, board.certificates());
  write_forwarders(out, board.forwarders());
  write_collection(out, board.collection());
  auto hosts = board.hosts();
  write_host_sums(out, hosts ? std::optional{sums_of(*hosts)} : std::nullopt);
  if (hosts) write_hosts(out, *std::move(hosts), hosts_with_series);
}

}  // namespace cellos
