// Hosts and collectors, real daemons, that are killed again and again while guests talk; see docs/testing.md.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "runtime/os/exit_code.hpp"
#include "tests/fleet/fleet_run.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;

struct choice {
  std::uint64_t seeds = 1;
  std::string parent = CELLOS_BIN_DIR "/..";
  std::string keep;
};

void describe(CLI::App& app, fleet::fleet_options& options, choice& chosen) {
  app.add_option("--hosts", options.hosts, "Hosts")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--collectors", options.collectors, "Collectors")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--cells", options.cells, "Cells of each host, a guest each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--frames", options.frames, "Declarations of each host's guests together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--kills", options.kills, "SIGKILLs over all processes")->capture_default_str();
  app.add_option("--rate", options.rate, "Declarations a second of each host's guests together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of what guests say and of the kills")->capture_default_str();
  app.add_option("--seeds", chosen.seeds, "Fleets, one after the other, from --seed on")->capture_default_str();
  app.add_option("--dir", chosen.parent, "Where logs and copies are written")->check(CLI::ExistingDirectory);
  app.add_option("--keep", chosen.keep, "Leaves everything in this directory, which must not exist");
}

bool run(fleet::fleet_options options, const choice& chosen, std::uint64_t seed) {
  const test::temporary_directory home{chosen.parent};
  options.seed = seed;
  options.dir = chosen.keep.empty() ? home.path() : std::filesystem::path{chosen.keep} / std::to_string(seed);
  const fleet::fleet_report report = fleet::run_fleet(options);
  std::printf("seed: %llu\n%s", static_cast<unsigned long long>(seed), to_text(report).c_str());
  std::fflush(stdout);
  return report.faults.empty();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Kills hosts and collectors at random and holds the collectors' copies against the hosts' logs."};
  fleet::fleet_options options;
  options.progress = true;
  choice chosen;
  describe(app, options, chosen);
  CLI11_PARSE(app, argc, argv);
  try {
    bool good = true;
    for (std::uint64_t i = 0; i < chosen.seeds; ++i) good = run(options, chosen, options.seed + i) && good;
    return good ? exit_success : exit_failure_found;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cellos-fleet: %s\n", problem.what());
    return exit_failure_found;
  }
}
