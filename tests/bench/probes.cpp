// What it costs a host to look at its cells: real processes, control groups, interfaces and nftables tables of a
// namespace, metrics files. CPU time of all threads, so that a busy machine changes little. And what it costs the real
// daemon, in turns with one that looks at nothing: `--daemon-rounds`.

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/probes/cgroup_probe.hpp"
#include "runtime/probes/fc_metrics_probe.hpp"
#include "runtime/probes/nftables_probe.hpp"
#include "runtime/probes/process_probe.hpp"
#include "runtime/probes/tap_link_probe.hpp"
#include "tests/bench/support/cells_network.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/bench/support/probed_ingest.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;

using probes = std::vector<std::unique_ptr<probe>>;

std::int64_t cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

/// Reads each of them once a turn, and prints what a turn costs.
void measure(const char* name, const probes& all, int turns, double period_seconds) {
  if (all.empty()) {
    fmt::print("| {} | not here | | |\n", name);
    return;
  }
  std::size_t errors = 0;
  std::size_t bytes = 0;
  const auto begun = cpu_ns();
  for (int turn = 1; turn <= turns; ++turn) {
    const probe_context context{nullptr, static_cast<std::uint64_t>(turn), monotonic_time{}, monotonic_time::max()};
    for (const auto& each : all) {
      const auto reading = each->read(context);
      if (reading) {
        bytes += reading->output.size();
      } else {
        ++errors;
      }
    }
  }
  const auto readings = all.size() * static_cast<std::size_t>(turns);
  const double turn_ns = static_cast<double>(cpu_ns() - begun) / turns;
  fmt::print("| {} | {:.1f} us | {:.2f} % | {} |{}\n", name, turn_ns / 1e3 / static_cast<double>(all.size()),
             turn_ns / period_seconds / 1e7, bytes / readings, errors > 0 ? fmt::format(" {} errors", errors) : "");
}

/// Sleeps until this process ends.
pid_t sleeping_child() {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) ::pause();
}

probes process_probes(const std::vector<pid_t>& vmms) {
  probes all;
  for (const pid_t vmm : vmms) {
    if (auto process = process_with_pid(vmm)) all.push_back(std::make_unique<process_probe>(std::move(*process)));
  }
  return all;
}

/// One leaf, read by each: what a leaf costs does not depend on whose it is.
probes cgroup_probes(std::size_t cells, const std::string& root, const std::string& leaf) {
  probes all;
  for (std::size_t i = 0; i < cells; ++i) {
    all.push_back(std::make_unique<cgroup_probe>(cgroup_roots{root, {}}, cgroup_place{leaf, {}, {}, {}}));
  }
  return all;
}

void run(std::size_t cells, int turns, double period) {
  const test::temporary_directory dir;
  std::vector<pid_t> vmms;
  for (std::size_t i = 0; i < cells; ++i) vmms.push_back(sleeping_child());
  fmt::print(
      "{} cells, {} turns\n\n| probe | a reading, CPU | of a core at {} s | bytes of output |\n|---|---|---|---|\n",
      cells, turns, period);
  measure("host.process", process_probes(vmms), turns, period);

  const std::string root = "/sys/fs/cgroup/unified";
  const std::string leaf = fmt::format("cellos-bench-{}", ::getpid());
  const bool has_leaf = ::mkdir((root + "/" + leaf).c_str(), 0755) == 0;
  measure("host.cgroup", has_leaf ? cgroup_probes(cells, root, leaf) : probes{}, turns, period);
  if (has_leaf) ::rmdir((root + "/" + leaf).c_str());

  const bench::cells_network network{cells, dir};
  probes taps;
  probes tables;
  const auto links = links_of(network.path());
  const auto counters = counters_of(network.path());
  for (std::size_t i = 0; i < cells; ++i) {
    if (network.has_links()) {
      taps.push_back(std::make_unique<tap_link_probe>(links, network.path(), fmt::format("cfc-{}", i)));
    }
    if (network.has_tables()) {
      tables.push_back(
          std::make_unique<nftables_probe>(counters, network.path(), nft_table_name{"inet", fmt::format("cell{}", i)}));
    }
  }
  measure("host.tap_link", taps, turns, period);
  measure("host.nftables", tables, turns, period);

  probes metrics;
  for (std::size_t i = 0; i < cells; ++i) {
    test::write_file(dir / fmt::format("m{}", i), "{\"net\":{\"rx_packets_count\":1}}\n");
    metrics.push_back(
        std::make_unique<fc_metrics_probe>(metrics_place{dir.path().string(), fmt::format("m{}", i), {}}));
  }
  measure("host.fc_metrics", metrics, turns, period);
  for (const pid_t vmm : vmms) {
    ::kill(vmm, SIGKILL);
    ::waitpid(vmm, nullptr, 0);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"CPU time of a host's probes"};
  std::size_t cells = 1000;
  int turns = 5;
  double period = 10;
  app.add_option("--cells", cells, "Cells; each has all probes");
  app.add_option("--turns", turns, "Readings of each");
  app.add_option("--period", period, "Seconds from one reading to the next");
  bench::probed_ingest_options daemon;
  app.add_option("--daemon-rounds", daemon.rounds, "Rounds of the daemon with and without probes; 0: none")
      ->capture_default_str();
  app.add_option("--frames", daemon.frames_a_second, "What each cell's agent declares a second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", daemon.seconds, "For which the daemon is measured, in each turn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  run(cells, turns, period);
  daemon.cells = cells;
  daemon.period_seconds = period;
  if (daemon.rounds > 0) fmt::print("\n{}", bench::compare_probed_ingest(daemon));
  fmt::print("\n{}\n", bench::this_machine());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
