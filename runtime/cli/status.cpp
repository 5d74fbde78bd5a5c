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
