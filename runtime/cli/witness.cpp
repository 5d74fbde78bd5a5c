#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "messages/escaped_text.hpp"
#include "messages/event_line.hpp"
#include "messages/timestamp.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cross_witness/recomputed_run.hpp"
#include "runtime/verification/log_files.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct witness_options {
  std::vector<std::filesystem::path> logs;
  bool json = false;
};

using runs = std::map<std::string, recomputed_run, std::less<>>;

/// Empty, or why not.
std::string read_file(const verification::log_file& from, runs& into) {
  std::ifstream file{from.path, std::ios::binary};
  if (!file.is_open()) return "\"" + escaped(from.path.native(), 512) + "\" cannot be read";
  file.seekg(static_cast<std::streamoff>(from.skipped_bytes));
  for (std::string line; std::getline(file, line);) {
    const auto event = parse_event_line(line);
    if (event && event->chain.find('/') != std::string_view::npos) into[std::string{event->chain}].take(*event);
  }
  return file.bad() ? "\"" + escaped(from.path.native(), 512) + "\" cannot be read" : std::string{};
}

json as_json(const recorded_contradiction& each) {
  return {{"kind", each.kind},
          {"confidence", each.confidence},
          {"from", std::string{timestamp_text{each.from}.view()}},
          {"to", std::string{timestamp_text{each.to}.view()}},
          {"first_reading", each.first_reading},
          {"last_reading", each.last_reading},
          {"counted", each.counted},
          {"declared", each.declared},
          {"background", each.background},
          {"threshold", each.threshold}};
}

json as_json(const std::vector<recorded_contradiction>& all) {
  json out = json::array();
  for (const recorded_contradiction& each : all) out.push_back(as_json(each));
  return out;
}

std::string in_words(const recorded_contradiction& each) {
  return std::string{timestamp_text{each.from}.view()} + "  " + std::string{each.kind} + " (" +
         std::string{each.confidence} + "): counted " + std::to_string(each.counted) + ", declared " +
         std::to_string(each.declared) + ", background " + std::to_string(each.background) + "; readings " +
         std::to_string(each.first_reading) + " to " + std::to_string(each.last_reading);
}

/// Of a run without its beginning nobody knows what its daemon had learnt.
bool differs(const recomputed_run& run) {
  return run.has_beginning() && !(run.unrecorded().empty() && run.unfounded().empty());
}

std::string text_of(const std::string& chain, const recomputed_run& run) {
  std::string out = escaped(chain, 512) + ": " + std::to_string(run.found().size()) + " found, " +
                    std::to_string(run.recorded().size()) + " on record, " + std::to_string(run.uncompared()) +
                    " windows not compared" + (run.has_beginning() ? "\n" : "; its beginning is not here\n");
  for (const auto& each : run.found()) out += "  " + in_words(each) + "\n";
  for (const auto& each : run.unrecorded()) out += "  not on record: " + in_words(each) + "\n";
  for (const auto& each : run.unfounded()) out += "  on record and not found: " + in_words(each) + "\n";
  return out;
}

exit_code complain(const std::string& words) {
  std::fprintf(stderr, "cellos-telemetryctl: %s\n", words.c_str());
  return exit_unavailable;
}

exit_code run_witness(const witness_options& options) {
  auto found = verification::find_log_files(options.logs);
  if (const auto* refusal = std::get_if<std::string>(&found)) return complain(*refusal);
  runs all;
  for (const verification::log_file& each : std::get<verification::verified_logs>(found).files) {
    if (const std::string refusal = read_file(each, all); !refusal.empty()) return complain(refusal);
  }
  json list = json::array();
  std::string words;
  bool differ = false;
  for (const auto& [chain, run] : all) {
    if (!run.was_compared() && run.recorded().empty()) continue;
    differ = differ || differs(run);
    words += text_of(chain, run);
    list.push_back({{"chain", chain},
                    {"has_beginning", run.has_beginning()},
                    {"found", as_json(run.found())},
                    {"not_on_record", as_json(run.unrecorded())},
                    {"not_found", as_json(run.unfounded())},
                    {"windows_not_compared", run.uncompared()}});
  }
  if (words.empty()) words = "no run in these logs was compared\n";
  const std::string out = options.json ? json{{"runs", std::move(list)}, {"differs", differ}}.dump() + "\n" : words;
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) return exit_unavailable;
  return differ ? exit_failure_found : exit_success;
}

}  // namespace

command add_witness(CLI::App& app) {
  auto options = std::make_shared<witness_options>();
  app.add_option("logs", options->logs,
                 "Evidence directories, collectors' directories of hosts' logs and .jsonl files, in any order")
      ->required();
  app.add_flag("--json", options->json, "One JSON object instead of words");
  return [options] { return run_witness(*options); };
}

}  // namespace cellos::cli
