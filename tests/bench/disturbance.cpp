// What a misbehaving neighbour costs the others: cells that send at an even pace, far below what the host can take, and
// beside them a reader of the log that stands still, a storm of reconnects, or actors that hang. How much of their pace
// the cells keep, how late their lines come, and how long a connect takes meanwhile.

#include <sys/resource.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/daemon/watchdog.hpp"
#include "runtime/os/exit_code.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/bench/support/paced_load.hpp"
#include "tests/soak/live_host.hpp"
#include "tests/support/daemon_process.hpp"

namespace {

using namespace cellos;
using namespace cellos::bench;
using namespace std::chrono_literals;

struct disturbance_options {
  std::size_t cells = 50;
  double rate = 200;
  std::size_t seconds = 8;
  std::vector<std::size_t> threads;
  double least_kept = 0.95;
  double most_connect_ms = 50;
};

/// Where the even load goes.
struct target {
  std::vector<std::string> sockets;
  std::filesystem::path evidence_dir;
  /// Cells whose lines are not looked at.
  std::vector<std::string> ignored{};
};

std::string id_of(std::size_t index) { return "cell-" + std::to_string(index + 1); }

void let_pass(std::chrono::nanoseconds time) {
  test::holds_within(time, [] { return false; });
}

/// Load before, during the disturbance and a while after; true if what is promised was kept during it. `disturb`
/// disturbs until it returns what is to be said of it.
bool observe(const disturbance_options& options, const std::string& name, const target& at,
             const std::function<std::string(std::chrono::nanoseconds)>& disturb) {
  log_observer observer{at.evidence_dir, at.ignored};
  paced_guests guests{at.sockets, options.rate};
  connect_probe probe{at.sockets};
  let_pass(1s);
  period during{std::chrono::steady_clock::now(), {}};
  const std::string remark = disturb(std::chrono::seconds{options.seconds});
  during.end = std::chrono::steady_clock::now();
  const connect_probe::attempts connects = probe.finish();
  const paced_guests::tally sent = guests.finish();
  const log_observer::sightings seen = observer.finish();
  if (!sent.problem.empty()) throw std::runtime_error(sent.problem);
  if (!seen.problem.empty()) throw std::runtime_error(seen.problem);

  std::uint64_t offered = 0;
  for (const steady_time due : sent.due) offered += during.holds(due) ? 1 : 0;
  // What is seen later, however soon after the disturbance, does not count.
  std::uint64_t kept = 0;
  distribution late;
  distribution connect;
  for (const auto& each : seen.all) {
    if (!during.holds(each.sent)) continue;
    late.add(each.seen - each.sent);
    kept += during.holds(each.seen) ? 1 : 0;
  }
  for (const auto& each : connects.all) {
    if (during.holds(each.began)) connect.add(each.took);
  }
  const double ratio = offered == 0 ? 0 : static_cast<double>(kept) / static_cast<double>(offered);
  const double connect_p99 = connect.percentile(99);
  std::puts(fmt::format("| {} | {:.1f} % | {:.1f} | {:.1f} | {:.2f} | {:.2f} | {} | {} |", name, ratio * 100,
                        late.percentile(50), late.percentile(99), connect_p99, connect.most(), connects.failed, remark)
                .c_str());
  std::fflush(stdout);
  return ratio >= options.least_kept && connect_p99 < options.most_connect_ms && connects.failed == 0;
}

/// A real daemon with one cell more than the load needs.
struct daemon_under_load {
  explicit daemon_under_load(const disturbance_options& options) {
    test::daemon_settings settings;
    for (std::size_t i = 0; i <= options.cells; ++i) settings.cells.push_back({.id = id_of(i)});
    home.configure(settings);
    daemon = std::make_unique<test::daemon_process>(test::daemon_process::ready(home));
    for (std::size_t i = 1; i <= options.cells; ++i) at.sockets.push_back(home.socket_of(id_of(i)));
    at.evidence_dir = home.evidence_dir();
    at.ignored = {id_of(0)};
  }
  ~daemon_under_load() { daemon->stop(); }

  test::daemon_home home;
  std::unique_ptr<test::daemon_process> daemon;
  target at;
};

bool undisturbed(const disturbance_options& options) {
  const daemon_under_load host{options};
  return observe(options, "nobody", host.at, [](auto time) {
    let_pass(time);
    return std::string{};
  });
}

bool stalled_reader(const disturbance_options& options) {
  const daemon_under_load host{options};
  const test::process reader{
      {test::program_path("cellos-telemetryctl"), {"tail", "--follow", "--json", "--evidence", host.at.evidence_dir}}};
  return observe(options, "`telemetryctl tail`, stopped", host.at, [&](auto time) {
    reader.freeze();
    let_pass(time);
    reader.thaw();
    return std::string{};
  });
}

/// A thousand connects at once to one cell, a frame each, once a second.
bool storm(const disturbance_options& options) {
  constexpr std::size_t connects = 1000;
  constexpr std::size_t threads = 20;
  const daemon_under_load host{options};
  const std::string socket = host.home.socket_of(id_of(0));
  return observe(options, "1,000 reconnects at once, each second", host.at, [&](std::chrono::nanoseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    std::size_t storms = 0;
    std::atomic<std::size_t> refused{0};
    for (; std::chrono::steady_clock::now() < end; ++storms) {
      const auto next = std::chrono::steady_clock::now() + 1s;
      std::vector<std::thread> peers;
      for (std::size_t i = 0; i < threads; ++i) {
        peers.emplace_back([&] {
          for (std::size_t n = 0; n < connects / threads; ++n) refused += connect_once(socket, true) ? 0 : 1;
        });
      }
      for (std::thread& peer : peers) peer.join();
      let_pass(next - std::chrono::steady_clock::now());
    }
    return fmt::format("{} storms, {} connects failed", storms, refused.load());
  });
}

/// In this process, where a DECODER can be made to hang.
bool hung_actors(const disturbance_options& options, std::size_t hung, std::size_t threads) {
  const test::temporary_directory home;
  soak::live_host_options settings;
  settings.dir = home.path();
  settings.threads = threads;
  settings.sinks = std::max(1u, std::thread::hardware_concurrency());
  soak::live_host host{settings};
  const watchdog watch{host.activities(), host.events(), {.timeout = 2s, .interval = 500ms}};
  target at{{}, host.evidence_dir()};
  std::vector<std::string> victims;
  for (std::size_t i = 0; i < options.cells + hung; ++i) {
    const cell_specification cell = host.cell(id_of(i));
    if (!host.admit(cell)) throw std::runtime_error(cell.cell_id + " was not admitted");
    (i < hung ? victims : at.sockets).push_back(cell.socket_path());
    if (i < hung) at.ignored.push_back(cell.cell_id);
  }
  const std::string name = fmt::format("{} hung DECODER{}, {} threads", hung, hung == 1 ? "" : "s", threads);
  const bool kept = observe(options, name, at, [&](std::chrono::nanoseconds time) {
    for (const std::string& id : at.ignored) host.decoding().hang(id);
    for (const std::string& socket : victims) connect_once(socket, true);
    let_pass(time);
    return fmt::format("{} times actor_hung", host.reported().count("actor_hung"));
  });
  host.decoding().release();
  host.stop();
  return kept;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool run(const disturbance_options& options) {
  const std::string machine = this_machine();
  std::puts(
      "| disturber | pace kept | send to log, ms: p50 | p99 | connect, ms: p99 | max | failed | |\n"
      "|---|---|---|---|---|---|---|---|");
  bool kept = undisturbed(options);
  kept = stalled_reader(options) && kept;
  kept = storm(options) && kept;
  for (const std::size_t threads : options.threads) {
    for (std::size_t hung = 0; hung <= 2; ++hung) kept = hung_actors(options, hung, threads) && kept;
  }
  std::puts(fmt::format("\n{} cells of {} frames/s each: {:.0f} frames/s. {}", options.cells, options.rate,
                        static_cast<double>(options.cells) * options.rate, machine)
                .c_str());
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What disturbers cost cells that send at an even pace; Markdown on stdout. Exit 1 if it is too much."};
  disturbance_options options;
  options.threads = {std::max(1u, std::thread::hardware_concurrency()) + 2};
  app.add_option("--cells", options.cells, "That are disturbed")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rate", options.rate, "Frames a second of each")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each disturbance")->capture_default_str();
  app.add_option("--threads", options.threads, "That run actors, where actors hang")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    raise_descriptor_limit();
    return run(options) ? exit_success : exit_failure_found;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_disturbance: %s\n", problem.what());
    return exit_failure_found;
  }
}
