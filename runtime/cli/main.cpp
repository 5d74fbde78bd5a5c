#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/text/nearest_name.hpp"
#include "runtime/version.hpp"

namespace cellos::cli {

namespace {

struct entry {
  const char* name;
  const char* meaning;
  command (*add)(CLI::App&);
};

const std::vector<entry>& entries() {
  static const std::vector<entry> all{
      {"cells", "List the cells and how they stand", add_cells},
      {"add", "Add a cell to the running daemon", add_add},
      {"remove", "Drain a cell and end its run", add_remove},
      {"status", "Say how the daemon is", add_status},
      {"hosts", "List a collector's hosts and how they stand", add_hosts},
      {"top", "Show the busiest cells, live", add_top},
      {"reload", "Have the daemon read its configuration again", add_reload},
      {"check", "Say what is wrong with a configuration file", add_check},
      {"inspect", "Decode a quarantined chunk, frame by frame", add_inspect},
      {"keygen", "Make a signing key", add_keygen},
      {"tail", "Show events as they come", add_tail},
      {"verify", "Prove that a log is what its hosts wrote, or say what was done to it", add_verify},
      {"witness", "Compare what a log's cells declared with what their host read", add_witness},
  };
  return all;
}

/// Empty if there is such a command.
std::string refuse_command(std::string_view wanted) {
  std::vector<std::string_view> names;
  for (const entry& each : entries()) names.emplace_back(each.name);
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return {};
  const auto near = nearest_name(wanted, names);
  return "there is no command \"" + escaped(wanted) + "\"; " +
         (near ? "did you mean " + std::string{*near} + "?" : "--help lists those there are");
}

/// What was typed comes back in it.
std::string usage_sentence(const CLI::App*, const CLI::Error& error) {
  return "cellos-telemetryctl: " + escaped(error.what(), 1024, "\"") + "\nRun with --help for more information.\n";
}

exit_code run(int argc, char** argv) {
  CLI::App app{"What a person types at cellos-telemetryd and its evidence", "cellos-telemetryctl"};
  app.set_version_flag("--version", "cellos-telemetryctl " + std::string{version});
  app.require_subcommand(1);
  app.failure_message(usage_sentence);
  std::vector<std::pair<CLI::App*, command>> commands;
  for (const entry& each : entries()) {
    CLI::App* subcommand = app.add_subcommand(each.name, each.meaning);
    commands.emplace_back(subcommand, each.add(*subcommand));
  }
  if (argc > 1 && argv[1][0] != '-') {
    if (const std::string refused = refuse_command(argv[1]); !refused.empty()) {
      std::fprintf(stderr, "cellos-telemetryctl: %s\n", refused.c_str());
      return exit_usage;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }
  for (const auto& [subcommand, chosen] : commands) {
    if (subcommand->parsed()) return chosen();
  }
  return exit_usage;
}

}  // namespace

}  // namespace cellos::cli

int main(int argc, char** argv) {
  using namespace cellos;
  cli::hold_standard_descriptors();
  exit_code outcome = exit_unavailable;
  try {
    outcome = cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cellos-telemetryctl: %s\n", escaped(error.what(), 1024).c_str());
  }
  return cli::close_output(outcome);
}
