#include "tests/bench/support/measurement.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "messages/timestamp.hpp"
#include "tests/bench/support/ingest_cells.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::bench {

namespace {

using namespace std::chrono_literals;

/// More processes than this would measure how processes start.
constexpr std::size_t most_simulators = 16;
/// For the guests to send, and for the receiver to drain.
constexpr auto run_timeout = 10min;

std::string quoted(const std::string& text) { return "'" + text + "'\n"; }

/// A table that names a key of the home's own.
std::string signing_table(const test::daemon_home& home) {
  const std::string key = home / "signing.key";
  test::process keygen{{test::program_path("cellos-telemetryctl"), {"keygen", "--kid", "bench", "--out", key}}};
  if (keygen.wait() != 0) throw std::runtime_error("keygen: " + keygen.err());
  return "[signing]\nalg = 'ed25519'\nkid = 'bench'\nkey_file = " + quoted(key) + "mode = 'checkpoint'\n";
}

std::string configuration_of(const std::vector<cell_specification>& cells, const std::filesystem::path& evidence,
                             const std::string& fsync) {
  std::string toml = "host_id = " + quoted(std::string{host_id});
  toml += "[evidence]\ndir = " + quoted(evidence) + "fsync = " + quoted(fsync) + "max_bytes = '1TiB'\n";
  for (const cell_specification& cell : cells) {
    toml += "[[cell]]\nid = " + quoted(cell.cell_id) + "run_id = " + quoted(cell.run_id);
    toml += "vsock_uds_base = " + quoted(cell.vsock_uds_base);
    toml += "spec_signature_hash = " + quoted(cell.spec_signature_hash) + "keepalive_window = '1h'\n";
  }
  return toml;
}

/// This executable in another role.
test::process again(const std::string& role, const std::filesystem::path& home, std::size_t cells,
                    const std::vector<std::string>& further) {
  test::command what{std::filesystem::read_symlink("/proc/self/exe"),
                     {role, "--home", home, "--cells", std::to_string(cells)}};
  what.arguments.insert(what.arguments.end(), further.begin(), further.end());
  return test::process{what};
}

/// Returned ready: every socket is bound.
test::process start(const receiver& who, const test::daemon_home& home, const std::vector<cell_specification>& cells,
                    const std::filesystem::path& log) {
  if (!who.fsync.empty()) {
    home.write_configuration(configuration_of(cells, log, who.fsync) + (who.is_signed ? signing_table(home) : ""));
    return test::daemon_process::ready(home);
  }
  test::process loop = again("plain-loop", home / "", cells.size(),
                             {"--out", log / "loop.jsonl", "--pause-us", std::to_string(who.pause_us)});
  loop.wait_for_line("ready");
  return loop;
}

void play_guests(const test::daemon_home& home, const std::vector<cell_specification>& cells, const load& what) {
  if (what.pace > 0 || cells.size() > most_simulators) {
    test::process writer =
        again("cell-writer", home / "", cells.size(),
              {"--frames-each", std::to_string(what.frames_each), "--pace", std::to_string(what.pace)});
    if (writer.wait(run_timeout) != 0) throw std::runtime_error("cell-writer failed: " + writer.err());
    return;
  }
  std::vector<test::simulator> guests;
  guests.reserve(cells.size());
  for (const cell_specification& cell : cells) {
    guests.emplace_back(test::simulation{
        .socket = cell.socket_path(), .frames = what.frames_each, .seed = guests.size() + 1, .further = {"--quiet"}});
  }
  for (test::simulator& guest : guests) guest.finish(run_timeout);
}

double cpu_of_ended_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Seconds, of a process that runs.
double cpu_of(const test::process& running) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(running.pid(), &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    throw std::runtime_error("the receiver's CPU time cannot be read");
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

struct log_content {
  std::uint64_t lines = 0;
  wall_time first_received{};
};

/// Nothing in a file without a declaration.
std::optional<wall_time> first_received_in(std::string_view text) {
  constexpr std::string_view key = R"("hostReceivedAt":")";
  constexpr std::size_t timestamp_bytes = 30;
  const auto at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return parse_timestamp(text.substr(at + key.size(), timestamp_bytes));
}

log_content read_log(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  log_content found;
  std::optional<wall_time> first;
  std::string block(1024 * 1024, '\0');
  for (const auto& path : files) {
    std::ifstream file{path, std::ios::binary};
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0) {
      const auto text = std::string_view{block}.substr(0, static_cast<std::size_t>(file.gcount()));
      if (!first) first = first_received_in(text);
      found.lines += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    }
  }
  if (!first) throw std::runtime_error("the log holds no declaration");
  found.first_received = *first;
  return found;
}

}  // namespace

sample measure(const receiver& who, const load& what, const std::filesystem::path& log_dir) {
  const test::temporary_directory log{log_dir};
  const test::daemon_home home;
  const auto cells = cells_in(home / "", what.cells);

  test::process receiving = start(who, home, cells, log.path());
  const double cpu_when_ready = cpu_of(receiving);
  play_guests(home, cells, what);
  const double cpu_when_sent = cpu_of(receiving);
  const double cpu_before = cpu_of_ended_children();
  receiving.send(SIGTERM);
  const int exit_code = receiving.wait(run_timeout);
  const auto ended = std::chrono::system_clock::now();
  const double cpu = what.pace > 0 ? cpu_when_sent - cpu_when_ready : cpu_of_ended_children() - cpu_before;

  if (exit_code != 0) throw std::runtime_error(who.name + " failed: " + receiving.err());
  const log_content logged = read_log(log.path());
  // The daemon says of each cell that its run was opened, started, ended and closed, and of itself that it started and
  // stopped; signed, there are checkpoints besides.
  const std::uint64_t expected = what.frames() + (who.fsync.empty() ? 0 : 4 * what.cells + 2);
  if (who.is_signed ? logged.lines < expected : logged.lines != expected) {
    throw std::runtime_error(who.name + " wrote " + std::to_string(logged.lines) + " lines instead of " +
                             std::to_string(expected));
  }
  const std::chrono::duration<double> took = ended - logged.first_received;
  const auto frames = static_cast<double>(what.frames());
  return {frames / took.count(), cpu * 1e9 / frames, static_cast<double>(receiving.peak_resident_bytes()) / 1e6};
}

}  // namespace cellos::bench
