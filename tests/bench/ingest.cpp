// What taking frames in costs: the real daemon against a plain single-threaded loop that does only what has to be done
// with a frame. Same guests, same machine, in turns, so that a noisy neighbour meets both.

#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/os/exit_code.hpp"
#include "tests/bench/support/cell_writer.hpp"
#include "tests/bench/support/ingest_cells.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/bench/support/measurement.hpp"
#include "tests/bench/support/plain_loop.hpp"

namespace {

using namespace cellos;
using namespace cellos::bench;

/// A line is about 760 bytes here; the rest is room for the file system's own.
constexpr std::uint64_t bytes_per_line = 1000;
constexpr std::uint64_t least_free_bytes = 4'000'000'000;

volatile std::sig_atomic_t interrupted = 0;

struct comparison_options {
  std::uint64_t frames = 2'000'000;
  std::size_t rounds = 5;
  std::vector<std::size_t> cells{1, 8, 200};
  std::vector<std::string> fsync{"never"};
  /// 0: as fast as frames are taken.
  double pace = 0;
  std::uint32_t pause_us = 0;
  bool is_signed = false;
  std::string dir = CELLOS_BIN_DIR "/..";
  std::string markdown;
};

struct role_options {
  std::string home;
  std::size_t cells = 1;
  std::string out;
  std::uint64_t frames_each = 0;
  double pace = 0;
  std::uint32_t pause_us = 0;
};

void refuse_without_room(const comparison_options& options) {
  const std::uint64_t needed = std::max(least_free_bytes, options.frames * bytes_per_line);
  const std::uint64_t available = std::filesystem::space(options.dir).available;
  if (available >= needed) return;
  throw std::runtime_error(options.dir + " has " + std::to_string(available / 1'000'000) + " MB free and " +
                           std::to_string(needed / 1'000'000) + " MB are needed; choose another with --dir");
}

std::vector<comparison> comparisons_of(const comparison_options& options) {
  std::vector<series> receivers{{{"plain loop", ""}, {}}};
  if (options.pause_us > 0) {
    receivers.push_back({{fmt::format("plain loop, pauses {} us", options.pause_us), "", false, options.pause_us}, {}});
  }
  for (const std::string& fsync : options.fsync) {
    receivers.push_back({{"daemon, fsync " + fsync, fsync}, {}});
    if (options.is_signed) receivers.push_back({{"daemon, fsync " + fsync + ", signed", fsync, true}, {}});
  }
  std::vector<comparison> comparisons;
  comparisons.reserve(options.cells.size());
  for (const std::size_t cells : options.cells) {
    comparisons.push_back({{cells, std::max<std::uint64_t>(1, options.frames / cells), options.pace}, receivers});
  }
  return comparisons;
}

/// Everything once. Each round another receiver begins; round 0 warms up the machine and is not kept.
void play_round(std::vector<comparison>& comparisons, std::size_t round, const comparison_options& options) {
  for (comparison& compared : comparisons) {
    for (std::size_t i = 0; i < compared.receivers.size(); ++i) {
      if (interrupted != 0) throw std::runtime_error("interrupted");
      refuse_without_room(options);
      series& next = compared.receivers[(round + i) % compared.receivers.size()];
      const sample came_to = measure(next.who, compared.what, options.dir);
      std::fprintf(stderr, "round %zu of %zu, %zu cells, %s: %.2f million frames/s, %.0f ns CPU a frame, %.0f MB\n",
                   round, options.rounds, compared.what.cells, next.who.name.c_str(), came_to.frames_per_second / 1e6,
                   came_to.cpu_ns_per_frame, came_to.peak_resident_mb);
      if (round > 0) next.rounds.push_back(came_to);
    }
  }
}

std::string command_line(int argc, char** argv) {
  std::string line = "./dev bench ingest";
  for (int i = 1; i < argc; ++i) line += std::string{" "} + argv[i];
  return line;
}

/// Heeded between two measurements at the latest; children and logs are gone by then.
void heed_interruption() {
  struct sigaction act {};
  act.sa_handler = [](int) { interrupted = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &act, nullptr);
}

void compare(const comparison_options& options, const std::string& command) {
  heed_interruption();
  const std::string machine = this_machine();
  std::fprintf(stderr, "%s\n", machine.c_str());
  std::vector<comparison> comparisons = comparisons_of(options);
  for (std::size_t round = 0; round <= options.rounds; ++round) play_round(comparisons, round, options);

  const std::string report = table_of(comparisons) + "\n" + machine + "; about " + std::to_string(options.frames) +
                             " frames a measurement, medians of " + std::to_string(options.rounds) +
                             " (least..most)\n\n`" + command + "`\n";
  std::fputs(report.c_str(), stdout);
  if (options.markdown.empty()) return;
  std::ofstream file{options.markdown, std::ios::trunc};
  file << report;
  if (!file.flush()) throw std::runtime_error("cannot write " + options.markdown);
}

void play_cells(const role_options& role) {
  const auto cells = cells_in(role.home, role.cells);
  if (role.pace > 0) {
    write_at_pace(cells, role.frames_each, role.pace);
  } else {
    write_to_cells(cells, role.frames_each);
  }
}

void describe(CLI::App& app, comparison_options& options) {
  app.add_option("--frames", options.frames, "Frames a measurement, over all cells")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Measurements of each, after one that is not kept")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--cells", options.cells, "Numbers of cells")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--fsync", options.fsync, "The daemon's evidence.fsync; each is a receiver of its own")
      ->capture_default_str();
  app.add_option("--pace", options.pace,
                 "Frames a second of each cell, a write each; CPU is then that of the time they are sent in");
  app.add_option("--pause-us", options.pause_us, "A plain loop besides, whose reads share wake-ups of so long");
  app.add_flag("--signed", options.is_signed, "The daemon besides with events signed by checkpoints");
  app.add_option("--dir", options.dir, "Where logs are written; /dev/shm takes the disk out")
      ->check(CLI::ExistingDirectory);
  app.add_option("--markdown", options.markdown, "Writes the report to this file too");
}

/// A role that `measure` starts this executable in; people are not shown it.
CLI::App* add_role(CLI::App& app, const std::string& name, role_options& options) {
  CLI::App* role = app.add_subcommand(name)->group("");
  role->add_option("--home", options.home)->required();
  role->add_option("--cells", options.cells)->required();
  return role;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares the daemon with a plain loop: frames a second, CPU, memory; Markdown on stdout."};
  comparison_options options;
  role_options role;
  describe(app, options);
  CLI::App* const plain_loop = add_role(app, "plain-loop", role);
  plain_loop->add_option("--out", role.out)->required();
  plain_loop->add_option("--pause-us", role.pause_us);
  CLI::App* const cell_writer = add_role(app, "cell-writer", role);
  cell_writer->add_option("--frames-each", role.frames_each)->required();
  cell_writer->add_option("--pace", role.pace);
  CLI11_PARSE(app, argc, argv);
  try {
    if (plain_loop->parsed()) {
      run_plain_loop(cells_in(role.home, role.cells), role.out, std::chrono::microseconds{role.pause_us});
    } else if (cell_writer->parsed()) {
      play_cells(role);
    } else {
      compare(options, command_line(argc, argv));
    }
    return exit_success;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_ingest: %s\n", interrupted != 0 ? "interrupted" : problem.what());
    return exit_failure_found;
  }
}
