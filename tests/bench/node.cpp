// What forwarding a log costs: a host's and a collector's real daemons, beside JetStream and rsyslog with the same
// lines, over mutual TLS on loopback, in turns.

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/os/exit_code.hpp"
#include "tests/bench/support/idle_hosts.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/bench/support/line_shippers.hpp"
#include "tests/bench/support/nats_sender.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;
using namespace cellos::bench;

constexpr int cores = 2;
constexpr std::size_t batch_bytes = std::size_t{256} << 10;

struct bench_options {
  std::uint64_t events = 2'000'000;
  std::uint64_t events_of_others = 500'000;
  std::size_t rounds = 5;
  std::size_t idle_hosts = 1000;
  std::string dir = CELLOS_BIN_DIR "/..";
  std::string markdown;
};

struct sender_options {
  std::uint16_t port = 0;
  std::string log;
  tls_settings files{};
  std::size_t batch_bytes = 0;
};

struct shipper {
  std::string name;
  std::function<shipment()> ship;
  std::string acknowledged;
  std::vector<shipment> rounds{};
};

/// Both sides, and whoever they are compared with, share these.
void keep_to_two_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (int i = 0; i < cores; ++i) CPU_SET(i, &allowed);
  if (::sched_setaffinity(0, sizeof allowed, &allowed) != 0) throw std::runtime_error("there are not two cores");
}

std::string file_system_of(const std::string& dir) {
  test::process stat{{"/usr/bin/stat", {"--file-system", "--format", "%T", dir}}};
  stat.wait();
  std::string name = stat.out();
  std::erase(name, '\n');
  return name == "ext2/ext3" ? "ext4" : name;
}

/// Median (least..most).
std::string spread(const std::vector<shipment>& rounds, double shipment::*figure, double scale, int digits) {
  std::vector<double> values;
  for (const shipment& each : rounds) values.push_back(each.*figure * scale);
  std::ranges::sort(values);
  if (values.front() < 0) return "-";
  char text[96];
  std::snprintf(text, sizeof text, "%.*f (%.*f..%.*f)", digits, values[values.size() / 2], digits, values.front(),
                digits, values.back());
  return text;
}

std::string table_of(const std::vector<shipper>& shippers) {
  std::string table =
      "| moved by | events/s, thousands | CPU, us an event, both sides | bytes an event on the wire | acknowledged |\n"
      "|---|---|---|---|---|\n";
  for (const shipper& each : shippers) {
    table += "| " + each.name + " | " + spread(each.rounds, &shipment::events_per_second, 1e-3, 0) + " | " +
             spread(each.rounds, &shipment::cpu_us_per_event, 1, 2) + " | " +
             spread(each.rounds, &shipment::wire_bytes_per_event, 1, 0) + " | " + each.acknowledged + " |\n";
  }
  return table;
}

void play(std::vector<shipper>& shippers, std::size_t rounds) {
  for (std::size_t round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < shippers.size(); ++i) {
      shipper& next = shippers[(round + i) % shippers.size()];
      const shipment came_to = next.ship();
      std::fprintf(stderr, "round %zu of %zu, %s: %.0f events/s, %.2f us CPU an event, %.0f bytes an event\n", round,
                   rounds, next.name.c_str(), came_to.events_per_second, came_to.cpu_us_per_event,
                   came_to.wire_bytes_per_event);
      if (round > 0) next.rounds.push_back(came_to);
    }
  }
}

std::string idle_report(const idle_hosts_result& idle) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%zu idle hosts: the collector has %.1f MB resident, %.1f MB before they came, and needs %.1f %% of a "
                "core.\n",
                idle.hosts, idle.resident_mb, idle.resident_mb_before, idle.cpu_percent);
  return text;
}

void compare(const bench_options& options, const std::string& command) {
  std::signal(SIGPIPE, SIG_IGN);
  keep_to_two_cores();
  const std::string machine = this_machine() + ", " + file_system_of(options.dir);
  std::fprintf(stderr, "%s\n", machine.c_str());
  const test::certificate_directory certificates;
  certificates.add_host(sending_node);
  certificates.add_collector(receiving_node);
  const test::temporary_directory home{options.dir};
  const auto log = home / "log/evidence";
  const shipping_place all{home.path(), log, write_log(home / "log", options.events), certificates};
  const auto part = home / "part";
  const shipping_place some{home.path(), part, link_part(log, part, options.events_of_others), certificates};
  std::vector<shipper> shippers{
      {"cellos-telemetryd, batches of 256 KiB", [&] { return ship_by_nodes(all); }, "once on the disk"}};
  if (options.events_of_others > 0) {
    shippers.push_back(
        {"nats-server, JetStream, a line a message", [&] { return ship_by_jetstream(some, 0); }, "in memory"});
    shippers.push_back({"nats-server, JetStream, batches of 256 KiB",
                        [&] { return ship_by_jetstream(some, batch_bytes); }, "in memory"});
    shippers.push_back({"rsyslogd, TCP", [&] { return ship_by_rsyslog(some); }, "never"});
  }
  play(shippers, options.rounds);
  std::string report = table_of(shippers);
  if (options.idle_hosts > 0) {
    report += "\n" + idle_report(measure_idle_hosts(options.dir, certificates, options.idle_hosts));
  }
  report += "\n" + machine + "; " + std::to_string(all.events) + " events, others " + std::to_string(some.events) +
            ", medians of " + std::to_string(options.rounds) + " (least..most)\n\n`" + command + "`\n";
  std::fputs(report.c_str(), stdout);
  if (options.markdown.empty()) return;
  std::ofstream file{options.markdown, std::ios::trunc};
  file << report;
  if (!file.flush()) throw std::runtime_error("cannot write " + options.markdown);
}

void describe(CLI::App& app, bench_options& options) {
  app.add_option("--events", options.events, "Events a measurement")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--events-of-others", options.events_of_others,
                 "The same of nats-server and rsyslogd; 0: without them")
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Measurements of each, after one that is not kept")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--idle-hosts", options.idle_hosts, "Hosts that only live; 0: none")->capture_default_str();
  app.add_option("--dir", options.dir, "Where logs are written; four times 900 bytes an event must be free")
      ->check(CLI::ExistingDirectory);
  app.add_option("--markdown", options.markdown, "Writes the report to this file too");
}

/// What a measurement starts this executable as; people are not shown it.
CLI::App* add_sender(CLI::App& app, sender_options& options) {
  CLI::App* sender = app.add_subcommand("nats-sender")->group("");
  sender->add_option("--port", options.port)->required();
  sender->add_option("--log", options.log)->required();
  sender->add_option("--certificate", options.files.certificate)->required();
  sender->add_option("--key", options.files.key)->required();
  sender->add_option("--batch-bytes", options.batch_bytes)->required();
  return sender;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares forwarding with JetStream and rsyslog: events a second, CPU, bytes; Markdown on stdout."};
  bench_options options;
  sender_options sending;
  describe(app, options);
  CLI::App* const sender = add_sender(app, sending);
  CLI11_PARSE(app, argc, argv);
  try {
    if (sender->parsed()) {
      const auto wire = send_to_jetstream(sending.port, sending.files, sending.log, sending.batch_bytes);
      std::printf("%llu\n", static_cast<unsigned long long>(wire));
    } else {
      std::string line = "./dev bench node";
      for (int i = 1; i < argc; ++i) line += std::string{" "} + argv[i];
      compare(options, line);
    }
    return exit_success;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_node: %s\n", problem.what());
    return exit_failure_found;
  }
}
