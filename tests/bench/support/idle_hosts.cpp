#include "tests/bench/support/idle_hosts.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/support/line_shippers.hpp"
#include "tests/support/basp_host.hpp"
#include "tests/support/certificate_issuer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/fixed_port.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_usage.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// As CAF's heartbeats are here.
constexpr auto beat_interval = 1s;
/// A third of the silence window, as a forwarder does.
constexpr int beats_per_sign_of_life = 5;
constexpr auto idle_for = 15s;

double resident_mb(const test::process& process) {
  return static_cast<double>(test::status_bytes(process.pid(), "VmRSS:")) / 1e6;
}

class idle_hosts {
 public:
  explicit idle_hosts(std::uint16_t port) : port_(port) {}

  void add(const std::string& host_id, const tls_settings& files) {
    const node_hello hello = test::first_hello(host_id);
    // On a busy machine a handshake may be too slow; a forwarder comes again, too.
    constexpr int most_attempts = 20;
    for (int i = 0; i < most_attempts; ++i) {
      beat_when_due();
      auto host = std::make_unique<test::basp_host>(port_, files, ++connections_);
      const auto welcome = host->is_welcome() ? host->greet(hello) : std::nullopt;
      if (!welcome || welcome->kind == welcome_kind::refused) continue;
      hosts_.push_back(std::move(host));
      return;
    }
    throw std::runtime_error{host_id + " is not welcome"};
  }
  void beat_when_due() {
    const auto now = steady::now();
    if (now < due_) return;
    due_ = now + beat_interval;
    const bool speaks = ++beats_ % beats_per_sign_of_life == 0;
    for (const auto& each : hosts_) {
      each->beat();
      if (speaks) each->say_alive({{1, 0}, {1, 0}});
    }
  }

 private:
  const std::uint16_t port_;
  std::vector<std::unique_ptr<test::basp_host>> hosts_;
  steady::time_point due_ = steady::now() + beat_interval;
  int beats_ = 0;
  std::uint64_t connections_ = 0;
};

}  // namespace

idle_hosts_result measure_idle_hosts(const std::filesystem::path& dir, const test::certificate_directory& certificates,
                                     std::size_t hosts) {
  const test::temporary_directory home{dir};
  const std::uint16_t port = test::fixed_port();
  test::write_file(home / "d.toml", std::string{"host_id = '"} + receiving_node + "'\n[evidence]\ndir = '" +
                                        (home / "evidence").string() + "'\n" + certificates.tls_table(receiving_node) +
                                        "[collector]\nlisten = '127.0.0.1:" + std::to_string(port) + "'\ndir = '" +
                                        (home / "hosts").string() + "'\n");
  test::certificate_issuer issuer{certificates / ""};
  std::vector<std::string> names;
  std::vector<tls_settings> files;
  for (std::size_t i = 0; i < hosts; ++i) {
    names.push_back("idle-" + std::to_string(i + 1));
    files.push_back(issuer.host(names.back(), home.path()));
  }
  test::process collector{{test::program_path("cellos-telemetryd"), {"--config", home / "d.toml"}}};
  collector.wait_for_line(" daemon_ready ");
  idle_hosts_result result;
  result.hosts = hosts;
  result.resident_mb_before = resident_mb(collector);
  idle_hosts all{port};
  try {
    for (std::size_t i = 0; i < hosts; ++i) all.add(names[i], files[i]);
  } catch (const std::exception& problem) {
    const std::string said = collector.err();
    constexpr std::size_t last_words = 500;
    throw std::runtime_error{problem.what() + std::string{"; "} +
                             said.substr(said.size() - std::min(said.size(), last_words))};
  }
  const auto began = steady::now();
  const double cpu = test::cpu_seconds(collector.pid());
  (void)test::holds_within(idle_for, [&] {
    all.beat_when_due();
    return false;
  });
  const std::chrono::duration<double> took = steady::now() - began;
  result.resident_mb = resident_mb(collector);
  result.cpu_percent = (test::cpu_seconds(collector.pid()) - cpu) / took.count() * 100;
  // Standard input, output and error, the listener and the like are a few dozen more.
  std::size_t open = 0;
  const auto descriptors = "/proc/" + std::to_string(collector.pid()) + "/fd";
  for (const auto& each : std::filesystem::directory_iterator{descriptors}) {
    std::error_code vanished;
    if (std::filesystem::read_symlink(each.path(), vanished).native().starts_with("socket:")) ++open;
  }
  if (open < hosts) throw std::runtime_error{"only " + std::to_string(open) + " sockets are open at the end"};
  collector.send(SIGTERM);
  if (collector.wait() != 0) throw std::runtime_error{"the collector failed: " + collector.err()};
  return result;
}

}  // namespace cellos::bench
