#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "runtime/os/exit_code.hpp"
#include "tests/simulation/frame_trace.hpp"
#include "tests/simulation/scripted_cells.hpp"
#include "tests/simulation/simulation.hpp"

namespace {

using namespace cellos;
using simulation::planted_bug;

constexpr std::array bugs{planted_bug::none,
                          planted_bug::acknowledge_before_append,
                          planted_bug::replay_renumbered,
                          planted_bug::credit_leak,
                          planted_bug::silence_reported_twice,
                          planted_bug::commit_before_sync,
                          planted_bug::half_append_kept,
                          planted_bug::forward_before_commit,
                          planted_bug::answer_before_sync,
                          planted_bug::contradiction_doubled,
                          planted_bug::contradiction_misplaced};

void show_failure(std::uint64_t seed, const simulation::outcome& failed) {
  std::printf("seed %llu breaks %zu promises:\n", static_cast<unsigned long long>(seed), failed.violations.size());
  for (const std::string& violation : failed.violations) std::printf("  %s\n", violation.c_str());
  std::printf("its last decisions (step, decision):\n");
  for (const std::string& decision : failed.trace) std::printf("  %s\n", decision.c_str());
}

void show_scripted_failure(std::uint64_t seed, const simulation::scripted_outcome& failed) {
  std::printf("the scripted cells of seed %llu break %zu promises:\n", static_cast<unsigned long long>(seed),
              failed.violations.size());
  for (const std::string& violation : failed.violations) std::printf("  %s\n", violation.c_str());
}

void show_progress(std::uint64_t done, std::uint64_t all) {
  if (::isatty(STDERR_FILENO) == 1) {
    std::fprintf(stderr, "\r%llu of %llu seeds", static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(all));
  }
}

exit_code run_seeds(std::uint64_t from, std::uint64_t seeds, planted_bug bug) {
  simulation::outcome sum;
  std::uint64_t contradictions = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    const simulation::outcome one = simulation::simulate(seed, bug);
    if (!one.violations.empty()) {
      show_failure(seed, one);
      return exit_failure_found;
    }
    const simulation::scripted_outcome scripted = simulation::simulate_scripted_cells(seed, bug);
    if (!scripted.violations.empty()) {
      show_scripted_failure(seed, scripted);
      return exit_failure_found;
    }
    contradictions += scripted.contradictions;
    sum.steps += one.steps;
    sum.declarations += one.declarations;
    sum.faults += one.faults;
    sum.lines_forwarded += one.lines_forwarded;
    if ((seed - from) % 100 == 0) show_progress(seed - from, seeds);
  }
  show_progress(seeds, seeds);
  std::printf(
      "%llu seeds from %llu: every promise kept; %llu steps, %llu declarations, %llu faults, "
      "%llu lines forwarded, %llu contradictions of scripted cells\n",
      static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(from),
      static_cast<unsigned long long>(sum.steps), static_cast<unsigned long long>(sum.declarations),
      static_cast<unsigned long long>(sum.faults), static_cast<unsigned long long>(sum.lines_forwarded),
      static_cast<unsigned long long>(contradictions));
  return exit_success;
}

exit_code show_trace(std::uint64_t seed, std::uint64_t frame, planted_bug bug) {
  simulation::frame_trace trace{frame};
  const simulation::outcome one = simulation::simulate(seed, bug, &trace);
  std::printf("seed %llu, frame %llu: %s\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(frame), trace.conclusion().c_str());
  for (const std::string& line : to_lines(trace.steps())) std::printf("%s\n", line.c_str());
  if (one.violations.empty()) return exit_success;
  show_failure(seed, one);
  return exit_failure_found;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs whole cell trees in one thread, each seed with schedules and faults of its own"};
  std::uint64_t seeds = 1000;
  std::uint64_t from = 1;
  std::string bug_name{to_string(planted_bug::none)};
  app.add_option("--seeds", seeds, "How many seeds")->capture_default_str();
  app.add_option("--from", from, "The first; a failing seed replays exactly with --seeds 1")->capture_default_str();
  app.add_option("--bug", bug_name, "Plant a bug, to see it found")->capture_default_str();
  std::uint64_t traced_seed = 0;
  std::uint64_t frame = 1;
  auto* trace = app.add_option("--trace", traced_seed, "Show one frame's way through the actors under this seed");
  app.add_option("--frame", frame, "Which: its guest_monotonic_ns; a second cell's begin at 1000001, and so on")
      ->needs(trace)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }
  const auto bug =
      std::find_if(bugs.begin(), bugs.end(), [&](planted_bug each) { return to_string(each) == bug_name; });
  if (bug == bugs.end()) {
    std::fprintf(stderr, "no bug is called %s; there are:", bug_name.c_str());
    for (const planted_bug each : bugs) std::fprintf(stderr, " %s", std::string{to_string(each)}.c_str());
    std::fputc('\n', stderr);
    return exit_usage;
  }
  if (trace->count() > 0) return show_trace(traced_seed, frame, *bug);
  return run_seeds(from, seeds, *bug);
}
