#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <variant>

#include "runtime/configuration/load.hpp"
#include "runtime/daemon/daemon.hpp"
#include "runtime/version.hpp"

int main(int argc, char** argv) {
  using namespace cellos;
  CLI::App app{"Receives what cells declare, stamps it, and appends it to the evidence log", "cellos-telemetryd"};
  std::string file;
  bool check = false;
  // Not `required()`: that would be said before an option nobody knows is named.
  app.add_option("--config", file, "Configuration file (TOML); required");
  app.add_flag("--check", check, "Say what is wrong with the configuration, without starting");
  app.set_version_flag("--version", "cellos-telemetryd " + std::string{version});
  try {
    app.parse(argc, argv);
    if (file.empty()) throw CLI::RequiredError{"--config"};
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }

  const configuration_outcome read = load_configuration(file);
  if (const auto* errors = std::get_if<std::vector<configuration_error>>(&read)) {
    for (const configuration_error& error : *errors) std::fprintf(stderr, "%s\n", to_string(error).c_str());
    return check ? exit_failure_found : exit_unavailable;
  }
  const auto& settings = std::get<configuration>(read);
  if (check) {
    std::fprintf(stderr, "%s: in order, %zu cells\n", file.c_str(), settings.cells.size());
    return exit_success;
  }
  return run_daemon(settings, file);
}
