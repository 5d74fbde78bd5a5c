#include <cstdio>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/configuration/load.hpp"

namespace cellos::cli {

command add_check(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("file", *file, "Configuration file (TOML)")->required();
  return [file] {
    const configuration_outcome read = load_configuration(*file);
    if (const auto* errors = std::get_if<std::vector<configuration_error>>(&read)) {
      for (const configuration_error& error : *errors) std::fprintf(stderr, "%s\n", to_string(error).c_str());
      return exit_failure_found;
    }
    const auto& settings = std::get<configuration>(read);
    std::fprintf(stderr, "%s: in order: host %s, %zu cells\n", escaped(*file, 1024).c_str(), settings.host_id.c_str(),
                 settings.cells.size());
    return std::ferror(stderr) == 0 ? exit_success : exit_unavailable;
  };
}

}  // namespace cellos::cli
