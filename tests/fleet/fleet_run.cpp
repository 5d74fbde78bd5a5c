#include "tests/fleet/fleet_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

#include "runtime/guest_sim/splitmix.hpp"
#include "tests/fleet/fleet_configuration.hpp"
#include "tests/fleet/fleet_member.hpp"
#include "tests/fleet/merged_copies.hpp"
#include "tests/fleet/returning_guest.hpp"
#include "tests/support/certificate_directory.hpp"
#include "tests/support/fixed_port.hpp"
#include "tests/support/wait.hpp"

namespace cellos::fleet {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// A fleet whose guests say nothing for so long stands still.
constexpr auto progress_timeout = 120s;
constexpr auto verify_timeout = 300s;
/// Starts of a host that could not deliver its last lines in the time that a stop has.
constexpr int most_deliveries = 20;

/// What no kill may lead to.
constexpr auto never_noted = {"history_forked",    "delivery_forked",    "lines_undelivered", "copy_failed",
                              "evidence_doubtful", "evidence_disturbed", "actor_failed",      "host_doubled"};

/// One SIGKILL, once the guests have begun so many frames.
struct planned_kill {
  std::uint64_t due = 0;
  std::size_t victim = 0;
  milliseconds down{0};
};

std::vector<planned_kill> plan_kills(const fleet_options& options) {
  guest_sim::splitmix random{options.seed};
  const std::uint64_t frames = options.frames * options.hosts;
  std::vector<planned_kill> plan;
  for (std::uint64_t i = 0; i < options.kills; ++i) {
    constexpr std::uint64_t parts = 1000;
    planned_kill& next = plan.emplace_back();
    next.due = frames / (options.kills * parts) * (i * parts + random.below(parts));
    next.victim = random.below(static_cast<std::uint32_t>(options.hosts + options.collectors));
    // At once, as a service manager does it; after a while; or so long that hosts look for another collector.
    const auto longest = random.one_in(3) ? 1U : random.one_in(4) ? 4000U : 800U;
    next.down = milliseconds{random.below(longest)};
  }
  return plan;
}

class fleet_run {
 public:
  explicit fleet_run(const fleet_options& options) : options_(options) {}

  fleet_report run() {
    const auto began = std::chrono::steady_clock::now();
    make_collectors();
    make_hosts();
    for (auto& each : members_) each->start();
    for (auto& each : members_) each->await_ready();
    start_guests();
    live();
    for (const auto& guest : guests_) report_.guests_returned += guest->returns();
    guests_.clear();
    end_in_order();
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    for (std::size_t i = 0; i < options_.hosts; ++i) check(host(i));
    count();
    return std::move(report_);
  }

 private:
  fleet_member& collector(std::size_t index) { return *members_[index]; }
  fleet_member& host(std::size_t index) { return *members_[options_.collectors + index]; }
  void blame(std::string what) { report_.faults.push_back(std::move(what)); }

  void add(const std::string& name, const std::string& configuration) {
    members_.push_back(std::make_unique<fleet_member>(name, options_.dir / name, configuration));
  }

  void make_collectors() {
    for (std::size_t i = 0; i < options_.collectors; ++i) {
      const std::string name = "collector-" + std::to_string(i + 1);
      certificates_.add_collector(name);
      addresses_.push_back("127.0.0.1:" + std::to_string(test::fixed_port()));
      add(name, collector_configuration(name, options_.dir / name, addresses_.back(), certificates_.tls_table(name)));
    }
  }

  void make_hosts() {
    for (std::size_t i = 0; i < options_.hosts; ++i) {
      const std::string name = "host-" + std::to_string(i + 1);
      certificates_.add_host(name);
      // Each prefers another collector.
      auto order = addresses_;
      std::ranges::rotate(order, order.begin() + static_cast<std::ptrdiff_t>(i % order.size()));
      const auto dir = options_.dir / name;
      add(name, host_configuration(name, dir, order, options_.cells, certificates_.tls_table(name)));
      test::process keygen{{test::program_path("cellos-telemetryctl"),
                            {"keygen", "--alg", "ed25519", "--kid", name, "--out", dir / "signing.key"}}};
      if (keygen.wait() != 0) throw std::runtime_error("no key: " + keygen.err());
    }
  }

  void start_guests() {
    for (std::size_t of_host = 0; of_host < options_.hosts; ++of_host) {
      for (std::size_t i = 0; i < options_.cells; ++i) {
        const auto share = options_.frames / options_.cells + (i < options_.frames % options_.cells ? 1 : 0);
        report_.sent += share;
        guests_.push_back(std::make_unique<returning_guest>(
            guest_plan{socket_of(host(of_host).dir(), i), share, options_.rate / static_cast<double>(options_.cells),
                       options_.seed * 1000 + guests_.size()}));
      }
    }
  }

  std::uint64_t begun() const {
    std::uint64_t sum = 0;
    for (const auto& guest : guests_) sum += guest->begun();
    return sum;
  }

  /// Until every guest has said all it has to, and all kills are done.
  void live() {
    const auto plan = plan_kills(options_);
    auto next = plan.begin();
    std::uint64_t progress = 0;
    auto progressed = std::chrono::steady_clock::now();
    const auto done = [&] {
      const auto now = std::chrono::steady_clock::now();
      for (auto& each : members_) each->come_back(now);
      const auto frames = begun();
      if (std::exchange(progress, frames) != frames) progressed = now;
      if (now - progressed > progress_timeout) return true;
      if (next != plan.end() && frames >= next->due && members_[next->victim]->runs()) {
        kill(*members_[next->victim], now + next->down);
        ++next;
      }
      return next == plan.end() && std::ranges::all_of(guests_, [](const auto& guest) { return guest->finished(); });
    };
    (void)test::holds_within(std::chrono::hours{12}, done);
    if (next != plan.end() || begun() < report_.sent) {
      blame("the fleet stood still at " + std::to_string(begun()) + " frames");
    }
  }

  void kill(fleet_member& victim, steady_time back_at) {
    if (options_.progress) {
      std::fprintf(stderr, "%llu frames: %s is killed\n", static_cast<unsigned long long>(begun()),
                   victim.name().c_str());
    }
    victim.kill(back_at);
  }

  void end_in_order() {
    for (auto& each : members_) {
      each->come_back(steady_time::max());
      each->await_ready();
    }
    for (std::size_t i = 0; i < options_.hosts; ++i) {
      fleet_member& each = host(i);
      each.stop();
      for (int tries = 0; each.noted_last("forwarding_unfinished") > 0; ++tries) {
        if (tries == most_deliveries) return blame(each.name() + " delivers nothing more");
        each.start();
        each.await_ready();
        each.stop();
      }
    }
    for (std::size_t i = 0; i < options_.collectors; ++i) collector(i).stop();
  }

  void check(const fleet_member& host) {
    const auto evidence = host.dir() / "evidence";
    const auto merged = options_.dir / "merged" / host.name();
    std::vector<std::filesystem::path> kept;
    for (std::size_t i = 0; i < options_.collectors; ++i) kept.push_back(collector(i).dir() / "hosts" / host.name());
    const merge_result result = merge_copies(evidence, kept, merged);
    report_.log_lines += result.log_lines;
    report_.log_bytes += result.log_bytes;
    report_.logged += result.logged;
    report_.copied_bytes += result.copied_bytes;
    report_.pieces += result.pieces;
    for (const auto& fault : result.faults) blame(host.name() + ": " + fault);
    verify(host, evidence);
    verify(host, merged);
  }

  void verify(const fleet_member& host, const std::filesystem::path& log) {
    test::process verifier{
        {test::program_path("cellos-telemetryctl"),
         {"verify", "--finished", "--keys", host.dir() / "signing.key.pub.json", "--host", host.name(), log.string()}}};
    if (verifier.wait(verify_timeout) != 0)
      blame(log.string() + " does not verify: " + verifier.out() + verifier.err());
  }

  void count() {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      fleet_member& each = *members_[i];
      (i < options_.collectors ? report_.kills_of_collectors : report_.kills_of_hosts) += each.kills();
      report_.kills_in_boot += each.kills_in_boot();
      report_.collectors_reached += each.noted("collector_reached");
      for (const auto& fault : each.faults()) blame(fault);
      for (const char* event : never_noted) {
        const auto times = each.noted(event);
        if (times > 0) blame(each.name() + " noted " + event + " " + std::to_string(times) + " times");
      }
    }
  }

  const fleet_options options_;
  const test::certificate_directory certificates_;
  std::vector<std::string> addresses_;
  /// Collectors first.
  std::vector<std::unique_ptr<fleet_member>> members_;
  std::vector<std::unique_ptr<returning_guest>> guests_;
  fleet_report report_;
};

}  // namespace

fleet_report run_fleet(const fleet_options& options) { return fleet_run{options}.run(); }

std::string to_text(const fleet_report& report) {
  const auto line = [](const char* what, std::uint64_t count) {
    return std::string{what} + ": " + std::to_string(count) + "\n";
  };
  std::string text = line("declarations sent", report.sent) + line("of them in the logs", report.logged) +
                     line("lines in the logs", report.log_lines) + line("bytes in the logs", report.log_bytes) +
                     line("bytes in the copies", report.copied_bytes) + line("pieces of copies", report.pieces) +
                     line("hosts killed", report.kills_of_hosts) +
                     line("collectors killed", report.kills_of_collectors) +
                     line("of them before they were ready", report.kills_in_boot) +
                     line("guests that connected again", report.guests_returned) +
                     line("times a collector was reached", report.collectors_reached) +
                     "seconds: " + std::to_string(report.seconds) + "\n";
  for (const std::string& fault : report.faults) text += "FAULT: " + fault + "\n";
  return text;
}

}  // namespace cellos::fleet
