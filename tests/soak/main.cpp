#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "runtime/exit_code.hpp"
#include "tests/soak/soak.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;
using count = unsigned long long;

void print(const soak::soak_outcome& outcome) {
  std::printf("%llu frames sent, %llu logged, %llu in %llu chunks set aside (%llu planted)\n", count{outcome.sent},
              count{outcome.logged}, count{outcome.quarantined_frames}, count{outcome.quarantined_chunks},
              count{outcome.planted});
  std::printf("%llu actors killed: %llu frames lost, %llu told again; books held %llu times; %.1f s\n",
              count{outcome.crashes}, count{outcome.lost}, count{outcome.repeated}, count{outcome.books_held},
              outcome.seconds);
  for (const std::string& violation : outcome.violations) std::printf("broken: %s\n", violation.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A whole host under load, on real sockets, whose actors are killed all the while"};
  soak::soak_options options;
  options.frames = 20'000'000;
  options.crashes = 500;
  app.add_option("--frames", options.frames, "Of all cells together")->capture_default_str();
  app.add_option("--cells", options.cells, "Cells")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--crashes", options.crashes, "Actors killed")->capture_default_str();
  app.add_option("--poison", options.poison_per_cell, "Chunks a cell that no decoder survives")->capture_default_str();
  app.add_option("--seed", options.seed, "Which actors are killed, and how")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }
  try {
    const test::temporary_directory dir;
    options.dir = dir.path();
    const bool watched = ::isatty(STDERR_FILENO) == 1;
    const auto outcome = soak::run_soak(options, [&](std::uint64_t sent) {
      if (watched) std::fprintf(stderr, "\r%llu of %llu frames", count{sent}, count{options.frames});
    });
    if (watched) std::fputc('\n', stderr);
    print(outcome);
    return outcome.violations.empty() ? exit_success : exit_failure_found;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cellos-soak: %s\n", problem.what());
    return exit_unavailable;
  }
}
