// What cells that flood cost the others: the real daemon, some agents at full speed, many that send a little, and an
// orchestrator. How long the little takes from the daemon's receipt, and from the guest's send, until it can be read in
// the log; how long a PUT takes; whether GET /cells names every cell.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/os/exit_code.hpp"
#include "tests/bench/support/control_probe.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/bench/support/paced_load.hpp"
#include "tests/support/daemon_process.hpp"

namespace {

using namespace cellos;
using namespace cellos::bench;
using namespace std::chrono_literals;

struct fairness_options {
  std::size_t cells = 200;
  std::size_t flooding = 1;
  std::string signing = "off";
  double rate = 10;
  std::size_t seconds = 10;
  double limit_ms = 100;
  double put_limit_ms = 250;
  std::vector<std::string> fsync{"100ms"};
};

struct outcome {
  std::size_t paced = 0;
  std::uint64_t offered = 0;
  std::uint64_t seen = 0;
  double flood_per_second = 0;
  distribution since_receipt;
  distribution since_send;
  control_probe::findings control;
};

/// A table that names a key of the home's own.
std::string signing_table(const fairness_options& options, const test::daemon_home& home) {
  if (options.signing == "off") return {};
  const std::string key = home / "signing.key";
  test::process keygen{{test::program_path("cellos-telemetryctl"), {"keygen", "--kid", "bench", "--out", key}}};
  if (keygen.wait() != 0) throw std::runtime_error("keygen: " + keygen.err());
  return "[signing]\nalg = 'ed25519'\nkid = 'bench'\nkey_file = '" + key + "'\nmode = '" + options.signing + "'\n";
}

test::daemon_settings settings_of(const fairness_options& options, const std::string& fsync) {
  test::daemon_settings settings;
  for (std::size_t i = 0; i < options.cells; ++i) settings.cells.push_back({.id = "cell-" + std::to_string(i + 1)});
  settings.evidence = "fsync = '" + fsync + "'\nmax_bytes = '4GiB'\ncell_share = 'off'\n";
  return settings;
}

/// The first cells flood, or are idle.
outcome measure(const fairness_options& options, const std::string& fsync, bool flood) {
  test::daemon_settings settings = settings_of(options, fsync);
  const test::daemon_home home;
  settings.tables = home.control_table() + signing_table(options, home);
  home.configure(settings);
  auto daemon = test::daemon_process::ready(home);
  std::vector<std::string> flooders;
  std::vector<std::string> sockets;
  for (std::size_t i = 0; i < settings.cells.size(); ++i) {
    const auto& cell = settings.cells[i];
    i < options.flooding ? flooders.push_back(cell.id) : sockets.push_back(home.socket_of(cell));
  }

  log_observer observer{home.evidence_dir(), flooders};
  std::vector<std::unique_ptr<flooding_guest>> flooding;
  if (flood) {
    for (const std::string& id : flooders) flooding.push_back(std::make_unique<flooding_guest>(home.socket_of(id)));
  }
  paced_guests guests{sockets, options.rate};
  control_probe orchestrator{home.control_socket(), home / "", settings.cells.size()};
  const steady_time begin = std::chrono::steady_clock::now() + 1s;  // the first second warms up
  const period measured{begin, begin + std::chrono::seconds{options.seconds}};
  test::holds_within(std::chrono::seconds{options.seconds + 1}, [] { return false; });
  const paced_guests::tally sent = guests.finish();
  const control_probe::findings control = orchestrator.finish();
  std::uint64_t flooded = 0;
  for (const auto& each : flooding) flooded += each->finish();
  const log_observer::sightings seen = observer.finish();
  if (!sent.problem.empty()) throw std::runtime_error(sent.problem);
  if (!seen.problem.empty()) throw std::runtime_error(seen.problem);
  if (!control.problem.empty()) throw std::runtime_error(control.problem);
  if (daemon.stop(60s) != 0) throw std::runtime_error("the daemon: " + daemon.err());

  outcome came_to;
  came_to.paced = sockets.size();
  came_to.control = control;
  came_to.flood_per_second = static_cast<double>(flooded) / static_cast<double>(options.seconds + 1);
  for (const steady_time due : sent.due) came_to.offered += measured.holds(due) ? 1 : 0;
  for (const auto& each : seen.all) {
    if (!measured.holds(each.sent)) continue;
    ++came_to.seen;
    came_to.since_receipt.add(each.since_receipt);
    came_to.since_send.add(each.seen - each.sent);
  }
  return came_to;
}

/// True if the promise is kept.
bool report(const fairness_options& options, const std::string& fsync, bool flood) {
  outcome came_to = measure(options, fsync, flood);
  distribution& receipt = came_to.since_receipt;
  distribution& send = came_to.since_send;
  std::string row = fmt::format("| {} | {:.2f} | {} | {} of {} |", fsync, came_to.flood_per_second / 1e6, came_to.paced,
                                came_to.seen, came_to.offered);
  for (distribution* each : {&receipt, &send}) {
    row += fmt::format(" {:.1f} | {:.1f} | {:.1f} |", each->percentile(50), each->percentile(99), each->most());
  }
  control_probe::findings& control = came_to.control;
  row += fmt::format(" {:.1f} | {:.1f} | {} of {} |", control.puts.percentile(99), control.puts.most(),
                     control.lists_asked - control.lists_incomplete, control.lists_asked);
  std::puts(row.c_str());
  std::fflush(stdout);
  const bool prompt = came_to.seen > 0 && receipt.percentile(99) < options.limit_ms;
  return prompt && control.puts.percentile(99) < options.put_limit_ms && control.lists_incomplete == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "What a flooding cell costs the others; Markdown on stdout. Exit 1 if a p99 is over its limit "
      "or GET /cells leaves a cell out."};
  fairness_options options;
  app.add_option("--cells", options.cells, "The flooding ones included")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--flooding", options.flooding, "How many flood")->check(CLI::Range(1, 500))->capture_default_str();
  app.add_option("--signing", options.signing, "How events are signed, with ed25519")
      ->check(CLI::IsMember({"off", "event", "checkpoint"}))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Frames a second of each other cell")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Measured, after one that is not")->capture_default_str();
  app.add_option("--limit-ms", options.limit_ms, "On the p99 from receipt to log")->capture_default_str();
  app.add_option("--put-limit-ms", options.put_limit_ms, "On the p99 of a PUT")->capture_default_str();
  app.add_option("--fsync", options.fsync, "The daemon's evidence.fsync")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (options.flooding >= options.cells) {
    std::fprintf(stderr, "bench_fairness: --flooding leaves no other cell; raise --cells\n");
    return exit_usage;
  }
  try {
    const std::string machine = this_machine();
    std::puts(
        "| fsync | flood, million frames/s | others | frames seen | receipt to log, ms: p50 | p99 | max "
        "| send to log, ms: p50 | p99 | max | PUT, ms: p99 | max | GET /cells complete |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    bool kept = true;
    for (const std::string& fsync : options.fsync) {
      kept = report(options, fsync, false) && kept;
      kept = report(options, fsync, true) && kept;
    }
    std::printf("\n%s\n", machine.c_str());
    return kept ? exit_success : exit_failure_found;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_fairness: %s\n", problem.what());
    return exit_failure_found;
  }
}
