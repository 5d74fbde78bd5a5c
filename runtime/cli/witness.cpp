#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "messages/escaped_text.hpp"
#include "messages/timestamp.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cross_witness/recomputed_log.hpp"
#include "runtime/verification/block_reader.hpp"
#include "runtime/verification/log_files.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct witness_options {
  std::vector<std::filesystem::path> logs;
  bool json = false;
};

struct read_logs {
  recomputed_log compared;
  /// Longer than any line of ours, and left out.
  std::uint64_t overlong = 0;
  /// Empty, or why not.
  std::string refusal;
};

read_logs read(std::vector<verification::log_file> files) {
  read_logs out;
  verification::block_reader blocks{std::move(files)};
  for (verification::line_block block; blocks.next(block);) {
    if (block.overlong) ++out.overlong;
    std::string_view lines = block.overlong ? std::string_view{} : block.lines();
    for (auto end = lines.find('\n'); end != std::string_view::npos; end = lines.find('\n')) {
      out.compared.take(lines.substr(0, end));
      lines.remove_prefix(end + 1);
    }
  }
  out.refusal = blocks.failure();
  return out;
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

/// Of a run without its beginning, or with a gap, nobody knows what its daemon had learnt.
bool differs(const recomputed_run& run) {
  return run.is_whole() && !(run.unrecorded().empty() && run.unfounded().empty());
}

std::string text_of(const std::string& chain, const recomputed_run& run) {
  std::string out = escaped(chain, 512) + ": " + std::to_string(run.found().size()) + " found, " +
                    std::to_string(run.recorded().size()) + " on record, " + std::to_string(run.uncompared()) +
                    " windows not compared" + (run.has_beginning() ? "" : "; its beginning is not here") +
                    (run.lines_missing() > 0 ? "; lines missing: " + std::to_string(run.lines_missing()) : "") + "\n";
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
  const read_logs logs = read(std::move(std::get<verification::verified_logs>(found).files));
  if (!logs.refusal.empty()) return complain(logs.refusal);
  json list = json::array();
  std::string words;
  bool differ = false;
  for (const auto& [chain, run] : logs.compared.runs()) {
    if (!run.was_compared() && run.recorded().empty()) continue;
    differ = differ || differs(run);
    words += text_of(chain, run);
    list.push_back({{"chain", chain},
                    {"has_beginning", run.has_beginning()},
                    {"lines_missing", run.lines_missing()},
                    {"found", as_json(run.found())},
                    {"not_on_record", as_json(run.unrecorded())},
                    {"not_found", as_json(run.unfounded())},
                    {"windows_not_compared", run.uncompared()}});
  }
  if (words.empty()) words = "no run in these logs was compared\n";
  if (logs.overlong > 0) words += "lines too long to be read, and left out: " + std::to_string(logs.overlong) + "\n";
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
