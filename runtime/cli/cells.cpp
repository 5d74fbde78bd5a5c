// What a person asks of the daemon's cells: each command is one request, its refusal said in a sentence.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "messages/escaped_text.hpp"
#include "messages/utf8.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/control_client.hpp"
#include "runtime/cli/text_table.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct cell_options {
  std::string socket;
  std::string id;
  /// Of the cell to be added, by the API's name for it.
  std::map<std::string, std::optional<std::string>> texts;
  std::map<std::string, std::optional<std::uint32_t>> numbers;
  /// With commas between them, or `none`.
  std::optional<std::string> probes;
  bool as_json = false;
};

std::string path_of(const std::string& id) { return "/cells/" + control_client::escape(id); }

std::string silence_of(const json& cell) {
  const auto left = cell.find("silence_in_seconds");
  if (left == cell.end() || !left->is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1fs", left->get<double>());
  return text;
}

/// Of a cell that gave no answer: as it was last seen, and when.
std::string state_of(const json& cell) {
  const auto age = cell.find("stale_for_seconds");
  std::string state = text_of(cell, "state");
  if (age == cell.end() || !age->is_number()) return state;
  char text[48];
  std::snprintf(text, sizeof text, " (%.0fs ago)", age->get<double>());
  return state + text;
}

void print_cells(const json& cells) {
  text_table table{{{"CELL"},
                    {"RUN"},
                    {"STATE"},
                    {"VMM"},
                    {"RECEIVED", true},
                    {"APPENDED", true},
                    {"REFUSED", true},
                    {"FORGED", true},
                    {"SILENT IN", true},
                    {"LAST FRAME"}}};
  for (const json& cell : cells) {
    const json totals = cell.value("totals", json::object());
    table.add({text_of(cell, "cell_id"), text_of(cell, "run_id"), state_of(cell), vmm_of(cell),
               text_of(totals, "received"), text_of(totals, "appended"), std::to_string(refused_of(totals)),
               text_of(totals, "forged_attribution"), silence_of(cell), text_of(cell, "last_frame")});
  }
  for (const std::string& line : table.lines()) std::printf("%s\n", line.c_str());
}

/// What each probe read last, as JSON: whatever came from a program or a VMM escaped, and no longer than a screen.
void print_readings(const json& cell) {
  constexpr std::size_t longest = 2048;
  for (const json& reading : cell.value("readings", json::array())) {
    const json output = reading.value("output", json());
    std::printf("read %s, %s s ago: %s\n", text_of(reading, "probe").c_str(), text_of(reading, "age_seconds").c_str(),
                output.is_null() ? "-" : escaped(output.dump(), longest).c_str());
    if (!reading.value("failing", json()).is_null()) {
      std::printf("  fails: %s, %s\n", text_of(reading, "failing").c_str(), text_of(reading, "cause").c_str());
    }
  }
  const json contradictions = cell.value("contradictions", json::object());
  if (contradictions.contains("found")) {
    std::printf("%-20s %s\n", "contradictions", text_of(contradictions, "found").c_str());
  }
  for (const json& found : contradictions.value("last", json::array())) {
    const auto of = [&found](const char* name) { return text_of(found, name); };
    std::printf("  %s %s (%s): counted %s, declared %s, background %s, threshold %s; readings %s to %s\n",
                of("from").c_str(), of("kind").c_str(), of("confidence").c_str(), of("counted").c_str(),
                of("declared").c_str(), of("background").c_str(), of("threshold").c_str(), of("first_reading").c_str(),
                of("last_reading").c_str());
  }
}

void print_one(const json& cell) {
  for (const auto& [name, value] : cell.items()) {
    if (name == "totals" || name == "host_saw" || name == "readings" || name == "contradictions") continue;
    std::printf("%-20s %s\n", name.c_str(), text_of(cell, name.c_str()).c_str());
  }
  const json seen = cell.value("host_saw", json::object());
  for (const auto& [name, value] : seen.items()) {
    std::printf("saw %-16s %s\n", name.c_str(), text_of(seen, name.c_str()).c_str());
  }
  const json totals = cell.value("totals", json::object());
  for (const auto& [name, value] : totals.items()) {
    if (name != "refused") std::printf("%-20s %s\n", name.c_str(), text_of(totals, name.c_str()).c_str());
  }
  const json refused = totals.value("refused", json::object());
  for (const auto& [kind, count] : refused.items()) {
    if (count != 0) std::printf("refused %-12s %s\n", kind.c_str(), text_of(refused, kind.c_str()).c_str());
  }
  print_readings(cell);
}

exit_code run_cells(const cell_options& options) {
  control_client client{options.socket};
  exit_code failed = exit_success;
  const auto answer = fetch(client, options.id.empty() ? "/cells" : path_of(options.id), failed);
  if (!answer) return failed;
  if (options.as_json) {
    std::printf("%s\n", answer->dump().c_str());
  } else if (options.id.empty()) {
    print_cells(answer->value("cells", json::array()));
  } else {
    print_one(*answer);
  }
  return exit_success;
}

/// A request that changes something; `describe` is for a person.
exit_code change(const cell_options& options, const char* method, const std::string& path, const std::string& body,
                 std::string (*describe)(const control_answer&, const json&)) {
  control_client client{options.socket};
  const auto answer = client.ask(method, path, body);
  if (!answer) return complain_unreachable(client);
  if (options.as_json) std::fputs(answer->body.c_str(), stdout);
  if (!answer->is_good()) return complain_refused(*answer);
  if (!options.as_json) std::printf("%s\n", describe(*answer, json::parse(answer->body, nullptr, false)).c_str());
  return exit_success;
}

json names_in(const std::string& list) {
  json names = json::array();
  if (list == "none") return names;
  std::istringstream text{list};
  for (std::string name; std::getline(text, name, ',');) names.push_back(name);
  return names;
}

/// Empty, or what is wrong: the request is JSON.
std::string check_text(const std::string& name, const std::string& text) {
  if (is_valid_utf8(text)) return {};
  return name + " \"" + escaped(text, 256) + "\" is not UTF-8, as which a cell is described";
}

exit_code run_add(const cell_options& options) {
  json body = json::object();
  std::string refusal = check_text("probes", options.probes.value_or(""));
  for (const auto& [key, text] : options.texts) {
    if (text && refusal.empty()) refusal = check_text(key, *text);
    if (text) body[key] = *text;
  }
  if (!refusal.empty()) {
    std::fprintf(stderr, "cellos-telemetryctl: %s\n", refusal.c_str());
    return exit_usage;
  }
  for (const auto& [key, number] : options.numbers) {
    if (number) body[key] = *number;
  }
  if (options.probes) body["probes"] = names_in(*options.probes);
  return change(options, "PUT", path_of(options.id), body.dump(), [](const control_answer& answer, const json& cell) {
    const std::string already = answer.status == 200 ? " (was admitted already)" : "";
    return text_of(cell, "cell_id") + " listens at " + text_of(cell, "socket_path") + already;
  });
}

exit_code run_remove(const cell_options& options) {
  return change(options, "DELETE", path_of(options.id), {}, [](const control_answer&, const json& gone) {
    const json totals = gone.value("totals", json::object());
    return text_of(gone, "cell_id") + " ended: received " + text_of(totals, "received") + ", appended " +
           text_of(totals, "appended") + ", heartbeats " + text_of(totals, "heartbeats") + ", refused " +
           std::to_string(refused_of(totals)) + ", quarantined " + text_of(totals, "quarantined");
  });
}

exit_code run_reload(const cell_options& options) {
  return change(options, "POST", "/reload", {}, [](const control_answer&, const json& report) {
    std::string reported =
        "reloaded: " + text_of(report, "cells") + " cells, " + text_of(report, "refused") + " refused";
    const json restart = report.value("restart_needed", json::array());
    const char* before = "; these wait for a restart: ";
    for (const json& key : restart) {
      reported += std::exchange(before, ", ") + escaped(key.is_string() ? key.get<std::string>() : key.dump());
    }
    return reported;
  });
}

std::shared_ptr<cell_options> options_of(CLI::App& app) {
  auto options = std::make_shared<cell_options>();
  add_socket_option(app, options->socket);
  app.add_flag("--json", options->as_json, "The daemon's answer itself");
  return options;
}

}  // namespace

command add_cells(CLI::App& app) {
  auto options = options_of(app);
  app.add_option("id", options->id, "Only this cell, with everything that is known of it");
  return [options] { return run_cells(*options); };
}

command add_add(CLI::App& app) {
  auto options = options_of(app);
  app.add_option("id", options->id, "The cell")->required();
  const auto text = [&](const char* flag, const char* key, const char* meaning) {
    return app.add_option(flag, options->texts[key], meaning);
  };
  text("--run-id", "run_id", "Which run of the cell this is")->required();
  text("--vsock-uds-base", "vsock_uds_base", "Firecracker's uds_path; the daemon binds it with _9001 behind")
      ->required();
  text("--spec-signature-hash", "spec_signature_hash", "Hash of the cell's specification")->required();
  text("--keepalive-window", "keepalive_window", "Longer silence is reported, such as 10s");
  text("--on-agent-failure", "on_agent_failure", "report or fail-cell");
  const auto number = [&](const char* flag, const char* key, const char* meaning) {
    app.add_option(flag, options->numbers[key], meaning);
  };
  number("--expected-uid", "expected_uid", "Uid that Firecracker runs as for this cell");
  app.add_option("--probes", options->probes,
                 "Whose readings are put on record: process, cgroup, both with a comma between, or none");
  text("--cgroup", "cgroup", "The cell's control group, from the root of the hierarchy on, such as /firecracker/a");
  text("--tap", "tap", "The cell's interface on the host");
  text("--nft-table", "nft_table", "Family and name of the cell's nftables table, such as \"inet a\"");
  text("--connection-counter", "connection_counter", "The counter in it that counts what the cell tries to connect");
  text("--network-namespace", "network_namespace", "Where the two are");
  text("--fc-metrics", "fc_metrics", "The file or FIFO of Firecracker's PUT /metrics");
  text("--fc-api-socket", "fc_api_socket", "Firecracker's API socket, by which it is asked to flush its metrics");
  number("--attempts-threshold", "attempts_threshold", "Undeclared attempts to connect in a window that are reported");
  number("--packets-threshold", "packets_threshold", "Undeclared packets in a window that are reported");
  number("--declarations-threshold", "declarations_threshold",
         "Declared connections in a window without traffic that are reported");
  number("--attempts-background", "attempts_background", "Attempts in a window without the cell's doing");
  number("--packets-background", "packets_background", "Packets in a window without the cell's doing");
  return [options] { return run_add(*options); };
}

command add_remove(CLI::App& app) {
  auto options = options_of(app);
  app.add_option("id", options->id, "The cell")->required();
  return [options] { return run_remove(*options); };
}

command add_reload(CLI::App& app) {
  auto options = options_of(app);
  return [options] { return run_reload(*options); };
}

}  // namespace cellos::cli
