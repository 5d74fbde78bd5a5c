#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/configuration/nearest_name.hpp"
#include "runtime/version.hpp"

int main(int argc, char** argv) {
  using namespace cellos;
  CLI::App app{"What a person types at cellos-telemetryd and its evidence", "cellos-telemetryctl"};
  app.set_version_flag("--version", "cellos-telemetryctl " + std::string{version});
  app.require_subcommand(1);

  struct entry {
    const char* name;
    const char* meaning;
    cli::command (*add)(CLI::App&);
  };
  const std::vector<entry> entries{
      {"cells", "List the cells and how they stand", cli::add_cells},
      {"add", "Add a cell to the running daemon", cli::add_add},
      {"remove", "Drain a cell and end its run", cli::add_remove},
      {"status", "Say how the daemon is", cli::add_status},
      {"top", "Show the busiest cells, live", cli::add_top},
      {"reload", "Have the daemon read its configuration again", cli::add_reload},
      {"check", "Say what is wrong with a configuration file", cli::add_check},
      {"keygen", "Make a signing key", cli::add_keygen},
      {"tail", "Show events as they come", cli::add_tail},
      {"verify", "Prove that a log is what its hosts wrote, or say what was done to it", cli::add_verify},
  };
  std::vector<std::pair<CLI::App*, cli::command>> commands;
  for (const entry& each : entries) {
    CLI::App* subcommand = app.add_subcommand(each.name, each.meaning);
    commands.emplace_back(subcommand, each.add(*subcommand));
  }
  if (argc > 1 && argv[1][0] != '-') {
    const std::string_view wanted{argv[1]};
    std::vector<std::string_view> names;
    for (const entry& each : entries) names.emplace_back(each.name);
    if (std::find(names.begin(), names.end(), wanted) == names.end()) {
      const auto near = nearest_name(wanted, names);
      std::fprintf(stderr, "cellos-telemetryctl: there is no command \"%s\"; %s\n", escaped(wanted).c_str(),
                   near ? ("did you mean " + std::string{*near} + "?").c_str() : "--help lists those there are");
      return exit_usage;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }
  for (const auto& [subcommand, run] : commands) {
    if (subcommand->parsed()) return run();
  }
  return exit_usage;
}
