#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/control_client.hpp"
#include "runtime/cli/metrics_text.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct status_options {
  std::string socket;
  bool as_json = false;
};

/// The value of a label in a series as it is written.
std::string label_in(const std::string& series, const std::string& label) {
  const auto begin = series.find(label + "=\"");
  if (begin == std::string::npos) return {};
  const auto value = begin + label.size() + 2;
  return series.substr(value, series.find('"', value) - value);
}

/// Who gets the log, and how far behind they are.
void print_forwarders(const std::vector<metric_sample>& samples) {
  for (const metric_sample& each : samples) {
    if (!each.series.starts_with("forwarder_state{") || each.value != 1) continue;
    const std::string name = label_in(each.series, "forwarder");
    const auto count = [&](const char* family) {
      return value_of(samples, std::string{family} + "{forwarder=\"" + name + "\"}");
    };
    std::string at;
    for (const metric_sample& other : samples) {
      if (!other.series.starts_with("forwarder_destination{") || label_in(other.series, "forwarder") != name) continue;
      at = " to " + label_in(other.series, "destination");
    }
    std::printf("forward   %s: %s%s, %.0f events (%s) behind, the oldest %.1f s\n", name.c_str(),
                label_in(each.series, "state").c_str(), at.c_str(), count("forwarder_lag_events"),
                bytes_text(count("forwarder_lag_bytes")).c_str(), count("forwarder_lag_seconds"));
  }
}

/// Of a collector.
void print_hosts(const std::vector<metric_sample>& samples) {
  const bool collects =
      std::ranges::any_of(samples, [](const auto& each) { return each.series.starts_with("hosts{"); });
  if (!collects) return;
  const auto count = [&](const char* series) { return value_of(samples, series); };
  std::printf("hosts     %.0f connected, %.0f disconnected, %.0f silenced, %.0f forked, the oldest lag %.1f s\n",
              count("hosts{state=\"connected\"}"), count("hosts{state=\"disconnected\"}"),
              count("hosts{state=\"silenced\"}"), count("hosts_forked"), count("hosts_largest_lag_seconds"));
}

void print_status(const json& health, const json& readiness, const std::vector<metric_sample>& samples) {
  const auto count = [&](const char* series) { return static_cast<unsigned long long>(value_of(samples, series)); };
  std::printf("host %s, cellos-telemetryd %s: %s\n", text_of(health, "host_id").c_str(),
              text_of(health, "version").c_str(), readiness.value("ready", false) ? "ready" : "not ready");
  const json reasons = readiness.value("reasons", json::array());
  for (const json& reason : reasons) {
    std::printf("  %s\n", text_of(json{{"reason", reason}}, "reason").c_str());
  }
  std::printf("cells     %llu connected, %llu listening, %llu silenced\n", count("cells{state=\"connected\"}"),
              count("cells{state=\"listening\"}"), count("cells{state=\"silenced\"}"));
  std::printf(
      "frames    %llu received, %llu appended, %llu heartbeats, %.0f refused, %llu quarantined, %llu in flight\n",
      count("frames_received_total"), count("declarations_appended_total"), count("heartbeats_total"),
      sum_of(samples, "frames_refused_total{"), count("frames_quarantined_total"), count("frames_in_flight"));
  std::printf("evidence  %s in %llu segments%s\n", bytes_text(value_of(samples, "evidence_bytes")).c_str(),
              count("evidence_segments"), count("evidence_blocked") == 0 ? "" : ", BLOCKED: it takes nothing");
  print_forwarders(samples);
  print_hosts(samples);
}

exit_code run_status(const status_options& options) {
  control_client client{options.socket};
  exit_code failed = exit_success;
  const auto health = fetch(client, "/healthz", failed);
  if (!health) return failed;
  constexpr long not_ready = 503;
  const auto readiness = fetch(client, "/readyz", failed, not_ready);
  if (!readiness) return failed;
  const auto metrics = client.ask("GET", "/metrics");
  if (!metrics) return complain_unreachable(client);
  const auto samples = samples_of(metrics->body);
  if (options.as_json) {
    json counted = json::object();
    for (const metric_sample& each : samples) counted[each.series] = each.value;
    std::printf("%s\n", json{{"health", *health}, {"readiness", *readiness}, {"metrics", counted}}.dump().c_str());
  } else {
    print_status(*health, *readiness, samples);
  }
  return readiness->value("ready", false) ? exit_success : exit_failure_found;
}

}  // namespace

command add_status(CLI::App& app) {
  auto options = std::make_shared<status_options>();
  add_socket_option(app, options->socket);
  app.add_flag("--json", options->as_json, "Health, readiness and metrics as one object");
  return [options] { return run_status(*options); };
}

}  // namespace cellos::cli
