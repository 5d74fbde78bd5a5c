#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/event_text.hpp"
#include "runtime/evidence/segment_reader.hpp"

namespace cellos::cli {

namespace {

struct tail_options {
  std::string directory;
  std::string cell;
  std::string type;
  bool follow = false;
  bool json = false;
};

/// How often a followed log is looked at again. Ours: below what a person notices.
constexpr std::chrono::milliseconds look_again{100};

bool wanted(const tail_options& options, const event_summary& event) {
  if (!options.cell.empty() && event.cell_id != options.cell) return false;
  return options.type.empty() || event.type.find(options.type) != std::string::npos;
}

/// False when nobody reads what we print any more.
bool show(const tail_options& options, std::string_view line, bool colours) {
  const auto event = summarise_event(line, colours);
  if (!event || !wanted(options, *event)) return true;
  const std::string_view out = options.json ? line : std::string_view{event->text};
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fputc('\n', stdout) != EOF;
}

exit_code run_tail(const tail_options& options) {
  const bool colours = !options.json && ::isatty(STDOUT_FILENO) == 1;
  segment_reader reader{{options.directory}};
  while (true) {
    while (const auto line = reader.next()) {
      if (!show(options, line->text, colours)) return exit_success;
    }
    if (reader.failure()) {
      std::fprintf(stderr, "cellos-telemetryctl: %s\n", reader.failure()->explanation.c_str());
      return exit_unavailable;
    }
    if (std::fflush(stdout) != 0 || !options.follow) return exit_success;
    ::poll(nullptr, 0, static_cast<int>(look_again.count()));
  }
}

}  // namespace

command add_tail(CLI::App& app) {
  auto options = std::make_shared<tail_options>();
  app.add_option("--evidence", options->directory, "Evidence directory, or one .jsonl file")->required();
  app.add_option("--cell", options->cell, "Only this cell's events");
  app.add_option("--type", options->type, "Only events whose type contains this");
  app.add_flag("--follow,-f", options->follow, "Go on as the log grows");
  app.add_flag("--json", options->json, "The events themselves, one a line");
  return [options] { return run_tail(*options); };
}

}  // namespace cellos::cli
