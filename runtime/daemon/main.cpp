#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include "runtime/configuration/load.hpp"
#include "runtime/daemon/daemon.hpp"
#include "runtime/daemon/inherited_environment.hpp"
#include "runtime/daemon/operator_log.hpp"
#include "runtime/probes/reader_messages.hpp"
#include "runtime/probes/reader_process.hpp"
#include "runtime/version.hpp"

namespace {

/// Each error is a line, in the form that the file asks for, as far as it can be understood.
void report_refusal(const std::vector<cellos::configuration_error>& errors, const std::string& text) {
  using namespace cellos;
  log_configuration form;
  if (asks_for_json_log(text)) form.format = log_format::json;
  const std::string step = "read the configuration";
  try {
    operator_log log{form};
    for (const configuration_error& error : errors) log.refuse_start(step, to_string(error), to_string(error));
  } catch (const std::system_error&) {
    // No thread is to be had.
    for (const configuration_error& error : errors) {
      operator_log::refuse_start_unqueued(form, step, to_string(error), to_string(error));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cellos;
  if (argc == 2 && argv[1] == std::string_view{reader_argument}) return serve_privileged_reads();
  if (const std::string unsafe = secure_inherited_environment(); !unsafe.empty()) {
    std::fprintf(stderr, "cellos-telemetryd: cannot secure the inherited environment: %s\n", unsafe.c_str());
    return exit_unavailable;
  }
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

  std::string text;
  const configuration_outcome read = load_configuration(file, text);
  if (const auto* errors = std::get_if<std::vector<configuration_error>>(&read)) {
    if (!check) {
      report_refusal(*errors, text);
      return exit_unavailable;
    }
    for (const configuration_error& error : *errors) std::fprintf(stderr, "%s\n", to_string(error).c_str());
    return exit_failure_found;
  }
  const auto& settings = std::get<configuration>(read);
  if (check) {
    std::fprintf(stderr, "%s: in order, %zu cells\n", file.c_str(), settings.cells.size());
    return exit_success;
  }
  return run_daemon(settings, file);
}
