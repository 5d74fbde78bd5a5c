#include "tests/bench/support/probed_ingest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/bench/support/cells_network.hpp"
#include "tests/bench/support/paced_load.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/process_usage.hpp"
#include "tests/support/wait.hpp"

namespace cellos::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t keepalive_seconds = 5;
/// Agents of idle cells are heard as often as their windows need.
constexpr double idle_frames_a_second = 0.5;

/// What one turn of one daemon came to.
struct turn_result {
  double cpu_ns_a_frame = 0;
  double idle_core_percent = 0;
  /// After its window was over.
  distribution silence_late;
  std::uint64_t readings = 0;
};

struct all_turns {
  std::vector<turn_result> without;
  std::vector<turn_result> with;
};

/// A leaf of version 2 that this process is in while the object lives: it stands in for every cell's VMM.
class own_group {
 public:
  own_group() : path_(fmt::format("/sys/fs/cgroup/unified/cellos-bench-{}", ::getpid())) {
    if (::mkdir(path_.c_str(), 0755) != 0) throw std::runtime_error(path_ + " cannot be made");
    enter(path_);
  }
  own_group(const own_group&) = delete;
  own_group& operator=(const own_group&) = delete;
  ~own_group() {
    enter("/sys/fs/cgroup/unified");
    ::rmdir(path_.c_str());
  }

 private:
  static void enter(const std::string& group) { std::ofstream{group + "/cgroup.procs"} << ::getpid() << std::flush; }

  std::string path_;
};

std::string configuration(const probed_ingest_options& options, const test::daemon_home& home,
                          const std::string& network) {
  std::string toml = fmt::format(
      "host_id = 'host-bench'\n[evidence]\ndir = '{}'\nfsync = '100ms'\nmax_bytes = '8GiB'\ncell_share = 'off'\n"
      "[probes]\nperiod = '{}ms'\n",
      home.evidence_dir().string(), static_cast<std::uint64_t>(options.period_seconds * 1000));
  for (std::size_t i = 0; i < options.cells; ++i) {
    toml += fmt::format(
        "[[cell]]\nid = 'cell{0}'\nrun_id = 'run-1'\nvsock_uds_base = '{1}'\nspec_signature_hash = 'sha256:a'\n"
        "keepalive_window = '{2}s'\n",
        i, (home / fmt::format("cell{}", i)).string(), keepalive_seconds);
    if (network.empty()) continue;
    toml += fmt::format(
        "probes = ['process', 'cgroup']\ntap = 'cfc-{0}'\nnft_table = 'inet cell{0}'\nconnection_counter = 'syn'\n"
        "network_namespace = '{1}'\n",
        i, network);
  }
  return toml;
}

void pass(std::size_t seconds) {
  test::holds_within(std::chrono::seconds{seconds}, [] { return false; });
}

double number_behind(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  return at == std::string_view::npos ? 0 : std::stod(std::string{line.substr(at + key.size(), 24)});
}

void read_log(const test::daemon_home& home, turn_result& into) {
  for (const auto& entry : std::filesystem::directory_iterator{home.evidence_dir()}) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file{entry.path()};
    for (std::string line; std::getline(file, line);) {
      if (line.find("agent_silenced\"") != std::string::npos) {
        const double late_ns = number_behind(line, R"("silentForNs":")") - static_cast<double>(keepalive_seconds) * 1e9;
        into.silence_late.add(std::chrono::nanoseconds{static_cast<std::int64_t>(late_ns)});
      }
      if (line.find("observability.host.probe.v1.") != std::string::npos) ++into.readings;
    }
  }
}

/// Idle agents, then busy ones, then none, so that all fall silent.
turn_result measure(const probed_ingest_options& options, const std::string& network) {
  const test::daemon_home home;
  home.write_configuration(configuration(options, home, network));
  auto daemon = test::daemon_process::ready(home);
  std::vector<std::string> sockets;
  for (std::size_t i = 0; i < options.cells; ++i) sockets.push_back((home / fmt::format("cell{}_9001", i)).string());
  turn_result result;
  // The first second of each warms up.
  const auto load = [&](double frames_a_second) {
    paced_guests guests{sockets, frames_a_second};
    pass(2);
    const double before = test::cpu_seconds(daemon.pid());
    pass(options.seconds);
    const double used = test::cpu_seconds(daemon.pid()) - before;
    const paced_guests::tally sent = guests.finish();
    if (!sent.problem.empty()) throw std::runtime_error(sent.problem);
    if (sent.not_taken > sent.due.size() / 100) throw std::runtime_error("agents are faster than this machine");
    return used / static_cast<double>(options.seconds);
  };
  // Connections that end and begin are no silence: it is reported once a run, after the last frame.
  const double idle = load(idle_frames_a_second);
  const double busy = load(options.frames_a_second);
  pass(keepalive_seconds + 3);
  if (daemon.stop(60s) != 0) throw std::runtime_error("the daemon: " + daemon.err());
  const auto cells = static_cast<double>(options.cells);
  result.idle_core_percent = idle * 100;
  result.cpu_ns_a_frame = (busy - idle) * 1e9 / (cells * (options.frames_a_second - idle_frames_a_second));
  read_log(home, result);
  if (result.silence_late.milliseconds.size() != options.cells) {
    throw std::runtime_error(
        fmt::format("{} of {} cells were reported silent", result.silence_late.milliseconds.size(), options.cells));
  }
  return result;
}

std::string summary(std::vector<double> values, std::string_view unit) {
  std::sort(values.begin(), values.end());
  return fmt::format("{:.2f} ({:.2f}..{:.2f}){}", values[values.size() / 2], values.front(), values.back(), unit);
}

template <class Of>
std::vector<double> each(std::vector<turn_result>& turns, Of&& of) {
  std::vector<double> values;
  for (turn_result& turn : turns) values.push_back(of(turn));
  return values;
}

/// Ratios are of one round, where both had the same weather.
template <class Of>
std::string row(std::string_view name, std::string_view unit, all_turns& turns, bool as_difference, Of&& of) {
  const std::vector<double> with = each(turns.with, of);
  const std::vector<double> without = each(turns.without, of);
  std::vector<double> compared;
  for (std::size_t i = 0; i < with.size(); ++i) {
    compared.push_back(as_difference ? with[i] - without[i] : with[i] / without[i]);
  }
  return fmt::format("| {} | {} | {} | {} |\n", name, summary(compared, as_difference ? unit : ""), summary(with, unit),
                     summary(without, unit));
}

}  // namespace

std::string compare_probed_ingest(const probed_ingest_options& options) {
  const test::temporary_directory dir;
  const cells_network network{options.cells, dir};
  if (!network.has_tables()) throw std::runtime_error("no network namespace with nftables can be made here");
  all_turns turns;
  {
    const own_group group;
    for (std::size_t round = 0; round < options.rounds; ++round) {
      for (const bool with : {round % 2 == 0, round % 2 != 0}) {
        turn_result result = measure(options, with ? network.path() : std::string{});
        std::fprintf(stderr, "round %zu of %zu, %s probes: %.0f ns CPU a frame, idle %.2f %% of a core\n", round + 1,
                     options.rounds, with ? "four" : "no", result.cpu_ns_a_frame, result.idle_core_percent);
        (with ? turns.with : turns.without).push_back(std::move(result));
      }
    }
  }
  std::string out = fmt::format(
      "The daemon, {} cells, each {} frames/s for {} s; four recorded probes each (process, cgroup: those of the one\n"
      "process that stands in for all VMMs; tap and nftables: each cell's own, of one namespace) every {} s against\n"
      "`host.process` unrecorded; {} rounds\n\n| | four probes against none | four probes | none "
      "|\n|---|---|---|---|\n",
      options.cells, options.frames_a_second, options.seconds, options.period_seconds, options.rounds);
  out += row("CPU a frame, above idle", " ns", turns, false, [](turn_result& of) { return of.cpu_ns_a_frame; });
  out += row("of a core, agents idle", " %", turns, true, [](turn_result& of) { return of.idle_core_percent; });
  out +=
      row("silence late, median", " ms", turns, true, [](turn_result& of) { return of.silence_late.percentile(50); });
  out += row("silence late, 99th of 100", " ms", turns, true,
             [](turn_result& of) { return of.silence_late.percentile(99); });
  out += row("readings on record", "", turns, true, [](turn_result& of) { return static_cast<double>(of.readings); });
  return out;
}

}  // namespace cellos::bench
