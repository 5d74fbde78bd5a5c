#include "tests/bench/support/line_shippers.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/files.hpp"
#include "tests/support/fixed_port.hpp"
#include "tests/support/process.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// For what is moved, however slow the machine is.
constexpr auto shipping_timeout = 20min;

std::uint64_t bytes_below(const std::filesystem::path& dir, std::string_view extension) {
  std::uint64_t sum = 0;
  std::error_code absent;
  for (auto entry = std::filesystem::recursive_directory_iterator{dir, absent};
       !absent && entry != std::filesystem::recursive_directory_iterator{}; entry.increment(absent)) {
    if (entry->path().extension() == extension) sum += std::filesystem::file_size(entry->path(), absent);
  }
  return sum;
}

std::uint64_t lines_in(const std::filesystem::path& path) {
  const std::string text = test::content_of(path);
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

std::vector<std::filesystem::path> segments_of(const std::filesystem::path& log) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& each : list_segments(log, failure)) files.push_back(log / segment_file_name(each.segment));
  return files;
}

test::process daemon(const std::filesystem::path& dir, const std::string& configuration) {
  std::filesystem::create_directories(dir);
  test::write_file(dir / "d.toml", configuration);
  return test::process{{test::program_path("cellos-telemetryd"), {"--config", dir / "d.toml"}}};
}

void stop(test::process& what) {
  what.send(SIGTERM);
  if (what.wait(shipping_timeout) != 0) throw std::runtime_error("a program failed: " + what.err());
}

std::string evidence_table(const std::filesystem::path& dir, const std::filesystem::path& log) {
  return "[evidence]\ndir = '" + log.string() + "'\nmax_bytes = '1TiB'\n[signing]\nalg = 'ed25519'\nkid = 'k'\n" +
         "key_file = '" + (dir / "k").string() + "'\nmode = 'checkpoint'\n";
}

/// Byte for byte, each piece at its place.
void compare(const std::filesystem::path& log, const std::filesystem::path& copies) {
  std::uint64_t compared = 0;
  for (const auto& copy : std::filesystem::directory_iterator{copies}) {
    for (const auto& piece : std::filesystem::directory_iterator{copy.path()}) {
      const auto begin = parse_piece_file_name(piece.path().filename().native());
      if (!begin) throw std::runtime_error("a strange file: " + piece.path().string());
      const std::string text = test::content_of(piece.path());
      const std::string original = test::content_of(log / segment_file_name(begin->segment));
      if (original.compare(begin->offset, text.size(), text) != 0) {
        throw std::runtime_error(piece.path().string() + " is not what the log says");
      }
      compared += text.size();
    }
  }
  if (compared != bytes_below(log, ".jsonl")) throw std::runtime_error("the copy is not as long as the log");
}

shipment result_of(std::uint64_t events, steady::time_point began, double cpu, double wire) {
  const auto count = static_cast<double>(events);
  const std::chrono::duration<double> took = steady::now() - began;
  return {count / took.count(), cpu * 1e6 / count, wire < 0 ? -1 : wire / count};
}

}  // namespace

double cpu_of_ended_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double wire_bytes(std::uint16_t port) {
  constexpr const char* program = "/usr/bin/ss";
  if (::access(program, X_OK) != 0) return -1;
  test::process ss{{program, {"-tinHO", "state", "established", "sport = :" + std::to_string(port)}}};
  ss.wait();
  const std::string said = ss.out();
  double sum = 0;
  for (const std::string_view name : {" bytes_acked:", " bytes_received:"}) {
    for (auto at = said.find(name); at != std::string::npos; at = said.find(name, at + 1)) {
      sum += std::strtod(said.c_str() + at + name.size(), nullptr);
    }
  }
  return sum > 0 ? sum : -1;
}

std::uint64_t write_log(const std::filesystem::path& home, std::uint64_t events) {
  constexpr std::uint64_t cells = 4;
  std::filesystem::create_directories(home);
  test::process keygen{{test::program_path("cellos-telemetryctl"), {"keygen", "--kid", "k", "--out", home / "k"}}};
  if (keygen.wait() != 0) throw std::runtime_error("no key: " + keygen.err());
  std::string text = std::string{"host_id = '"} + sending_node + "'\n" + evidence_table(home, home / "evidence");
  for (std::uint64_t i = 0; i < cells; ++i) {
    const std::string name = "c" + std::to_string(i);
    text += "[[cell]]\nid = '" + name + "'\nrun_id = 'run-1'\nvsock_uds_base = '" + (home / name).string() +
            "'\nspec_signature_hash = 'sha256:11aa'\nkeepalive_window = '1h'\n";
  }
  auto host = daemon(home, text);
  host.wait_for_line(" daemon_ready ");
  std::vector<test::simulator> guests;
  guests.reserve(cells);
  for (std::uint64_t i = 0; i < cells; ++i) {
    guests.emplace_back(test::simulation{.socket = (home / ("c" + std::to_string(i) + "_9001")).string(),
                                         .frames = events / cells,
                                         .seed = i + 1,
                                         .further = {"--quiet"}});
  }
  for (auto& guest : guests) guest.finish(shipping_timeout);
  stop(host);
  std::uint64_t lines = 0;
  for (const auto& file : segments_of(home / "evidence")) lines += lines_in(file);
  return lines;
}

std::uint64_t link_part(const std::filesystem::path& log, const std::filesystem::path& part, std::uint64_t events) {
  std::filesystem::create_directories(part);
  std::uint64_t lines = 0;
  for (const auto& file : segments_of(log)) {
    if (lines >= events) break;
    lines += lines_in(file);
    std::filesystem::create_hard_link(file, part / file.filename());
  }
  return lines;
}

shipment ship_by_nodes(const shipping_place& place) {
  const test::temporary_directory home{place.dir};
  const std::uint16_t port = test::fixed_port();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const auto hosts = home / "hosts";
  std::filesystem::remove(place.log / "forwarded-to");
  const auto bytes = bytes_below(place.log, ".jsonl");
  const double cpu_before = cpu_of_ended_children();
  auto collector = daemon(home / "collector",
                          std::string{"host_id = '"} + receiving_node + "'\n[evidence]\ndir = '" +
                              (home / "evidence").string() + "'\n" + place.certificates.tls_table(receiving_node) +
                              "[collector]\nlisten = '" + address + "'\ndir = '" + hosts.string() + "'\n");
  collector.wait_for_line(" daemon_ready ");
  auto host =
      daemon(home / "host",
             std::string{"host_id = '"} + sending_node + "'\n" + evidence_table(place.log.parent_path(), place.log) +
                 place.certificates.tls_table(sending_node) + "[forward]\ncollectors = ['" + address + "']\n");
  host.wait_for_line(" collector_reached ");
  const auto began = steady::now();
  if (!test::holds_within(shipping_timeout, [&] { return bytes_below(hosts, ".jsonl") >= bytes; })) {
    throw std::runtime_error("the host forwards no more: " + host.err());
  }
  const double wire = wire_bytes(port);
  stop(host);
  shipment result = result_of(place.events, began, 0, wire);
  if (test::count_lines(host.err(), "forwarding_unfinished") > 0) throw std::runtime_error("not all was forwarded");
  stop(collector);
  result.cpu_us_per_event = (cpu_of_ended_children() - cpu_before) * 1e6 / static_cast<double>(place.events);
  compare(place.log, hosts / sending_node);
  return result;
}

shipment ship_by_jetstream(const shipping_place& place, std::size_t batch_bytes) {
  const test::temporary_directory home{place.dir};
  const std::uint16_t port = test::fixed_port();
  const auto file = [&](const std::string& name) { return (place.certificates / name).string(); };
  const std::string receiver = receiving_node;
  const std::string sender = sending_node;
  test::write_file(home / "nats.conf", "listen: \"127.0.0.1:" + std::to_string(port) + "\"\njetstream { store_dir: \"" +
                                           (home / "store").string() +
                                           "\", max_file_store: 1TB }\ntls { cert_file: \"" + file(receiver + ".pem") +
                                           "\", key_file: \"" + file(receiver + ".key") + "\", ca_file: \"" +
                                           file("authority.pem") + "\", verify: true }\n");
  const double cpu_before = cpu_of_ended_children();
  test::process server{{"/usr/sbin/nats-server", {"-c", home / "nats.conf"}}};
  server.wait_for_line("Server is ready");
  const auto began = steady::now();
  test::process sending{
      {std::filesystem::read_symlink("/proc/self/exe"),
       {"nats-sender", "--port", std::to_string(port), "--log", place.log, "--certificate", file(sender + ".pem"),
        "--key", file(sender + ".key"), "--batch-bytes", std::to_string(batch_bytes)}}};
  if (sending.wait(shipping_timeout) != 0) throw std::runtime_error("nats-sender failed: " + sending.err());
  shipment result = result_of(place.events, began, 0, std::stod(sending.out()));
  server.send(SIGTERM);
  server.wait(shipping_timeout);
  result.cpu_us_per_event = (cpu_of_ended_children() - cpu_before) * 1e6 / static_cast<double>(place.events);
  return result;
}

shipment ship_by_rsyslog(const shipping_place& place) {
  const test::temporary_directory home{place.dir};
  const std::uint16_t port = test::fixed_port();
  const auto out = home / "out.jsonl";
  const auto common = [&](const std::string& node) {
    std::filesystem::create_directories(home / node);
    return "global(defaultNetstreamDriver=\"gtls\" workDirectory=\"" + (home / node).string() +
           "\" maxMessageSize=\"64k\" defaultNetstreamDriverCAFile=\"" +
           (place.certificates / "authority.pem").string() + "\" defaultNetstreamDriverCertFile=\"" +
           (place.certificates / (node + ".pem")).string() + "\" defaultNetstreamDriverKeyFile=\"" +
           (place.certificates / (node + ".key")).string() +
           "\")\nmain_queue(queue.type=\"FixedArray\" queue.size=\"200000\" queue.dequeueBatchSize=\"2048\")\n";
  };
  const std::string port_text = std::to_string(port);
  test::write_file(home / "in.conf",
                   common(receiving_node) +
                       "module(load=\"imtcp\" streamDriver.name=\"gtls\" streamDriver.mode=\"1\" "
                       "streamDriver.authMode=\"x509/certvalid\")\n"
                       "template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n"
                       "ruleset(name=\"in\") { action(type=\"omfile\" file=\"" +
                       out.string() +
                       "\" template=\"raw\" asyncWriting=\"on\" ioBufferSize=\"256k\" flushOnTXEnd=\"off\") }\n"
                       "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"" +
                       port_text + "\" ruleset=\"in\")\n");
  test::write_file(home / "out.conf",
                   common(sending_node) +
                       "module(load=\"imfile\")\ntemplate(name=\"line\" type=\"string\" string=\"%msg%\")\n"
                       "ruleset(name=\"out\") { action(type=\"omfwd\" target=\"127.0.0.1\" port=\"" +
                       port_text +
                       "\" protocol=\"tcp\" template=\"line\" streamDriver=\"gtls\" streamDriverMode=\"1\" "
                       "streamDriverAuthMode=\"x509/certvalid\" action.resumeRetryCount=\"-1\") }\n"
                       "input(type=\"imfile\" file=\"" +
                       (place.log / "evidence-*.jsonl").string() + "\" tag=\"t\" ruleset=\"out\")\n");
  const auto bytes = bytes_below(place.log, ".jsonl");
  const double cpu_before = cpu_of_ended_children();
  const auto start = [&](const char* configuration, const char* pid_file) {
    return test::process{{"/usr/sbin/rsyslogd", {"-n", "-f", home / configuration, "-i", home / pid_file}}};
  };
  auto receiver = start("in.conf", "in.pid");
  if (!test::holds_within(10s, [&] { return std::filesystem::exists(home / "in.pid"); })) {
    throw std::runtime_error("rsyslogd does not start: " + receiver.err());
  }
  const auto began = steady::now();
  auto sender = start("out.conf", "out.pid");
  std::error_code absent;
  const bool moved = test::holds_within(shipping_timeout, [&] {
    const auto size = std::filesystem::file_size(out, absent);
    return !absent && size >= bytes;
  });
  if (!moved) throw std::runtime_error("rsyslogd moves no more: " + sender.err() + receiver.err());
  shipment result = result_of(place.events, began, 0, wire_bytes(port));
  for (auto* each : {&sender, &receiver}) {
    each->send(SIGTERM);
    each->wait(shipping_timeout);
  }
  result.cpu_us_per_event = (cpu_of_ended_children() - cpu_before) * 1e6 / static_cast<double>(place.events);
  return result;
}

}  // namespace cellos::bench
