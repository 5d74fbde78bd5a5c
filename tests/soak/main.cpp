// A host under full load whose actors are ended again and again; see docs/testing.md.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "runtime/os/exit_code.hpp"
#include "tests/soak/misbehaviour_soak.hpp"
#include "tests/soak/soak.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;

struct choice {
  bool misbehave = false;
  std::uint64_t seconds = 600;
  std::string parent = CELLOS_BIN_DIR "/..";
};

void describe(CLI::App& app, soak::soak_options& options, choice& chosen) {
  app.add_option("--frames", options.frames, "Over all cells")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--cells", options.cells, "Cells, a guest each")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--crashes", options.crashes, "Actors ended meanwhile")->capture_default_str();
  app.add_option("--poison", options.poison, "Declarations no DECODER survives")->capture_default_str();
  app.add_option("--seed", options.seed, "Of the guests and the crashes")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads that run actors")->capture_default_str();
  app.add_option("--dir", chosen.parent, "Where the log is written; 3 GB must be free")->check(CLI::ExistingDirectory);
  app.add_flag("--misbehave", chosen.misbehave, "Guests that misbehave, cells that come and go; is memory flat?");
  app.add_option("--seconds", chosen.seconds, "How long, with --misbehave")->capture_default_str();
}

int misbehave(const soak::soak_options& options, const choice& chosen) {
  soak::misbehaviour_options day;
  day.length = std::chrono::seconds{chosen.seconds};
  day.cells = options.cells;
  day.seed = options.seed;
  day.threads = options.threads;
  day.dir = options.dir;
  day.progress = true;
  const soak::misbehaviour_report report = soak::run_misbehaviour_soak(day);
  std::fputs(to_text(report).c_str(), stdout);
  return report.faults.empty() ? exit_success : exit_failure_found;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Ends actors of a host under full load and holds the log against what the guests sent."};
  soak::soak_options options;
  options.progress = true;
  choice chosen;
  describe(app, options, chosen);
  CLI11_PARSE(app, argc, argv);
  try {
    const test::temporary_directory home{chosen.parent};
    options.dir = home.path();
    if (chosen.misbehave) return misbehave(options, chosen);
    const soak::soak_report report = soak::run_soak(options);
    std::fputs(to_text(report).c_str(), stdout);
    return report.faults.empty() ? exit_success : exit_failure_found;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cellos-soak: %s\n", problem.what());
    return exit_failure_found;
  }
}
