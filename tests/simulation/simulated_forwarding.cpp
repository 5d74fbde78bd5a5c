#include "tests/simulation/simulated_forwarding.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cellos::simulation {

namespace {

using namespace std::chrono_literals;
using test::delivery_faults;
using test::delivery_flaw;

/// Else it would draw what the host draws.
constexpr std::uint64_t own_randomness = 0x666f7277617264;
constexpr std::chrono::milliseconds longest_step = 50ms;

/// One in so many steps of the network.
constexpr std::array fault_profiles{
    delivery_faults{},
    delivery_faults{.message_lost = 50, .message_doubled = 50, .late_message = 20, .link_partitioned = 500},
    delivery_faults{.connection_cut = 200, .collector_killed = 300, .collector_power_cut = 300},
    delivery_faults{.collector_power_cut = 400, .sync_failed = 10, .disk_full = 20},
    delivery_faults{200, 200, 100, 20, 600, 800, 600, 600, 100, 100},
};

}  // namespace

bool forwards(std::uint64_t seed) { return guest_sim::splitmix{seed ^ own_randomness}.one_in(2); }

simulated_forwarding::simulated_forwarding(std::uint64_t seed, const simulated_log& log, planted_bug bug,
                                           note_function note)
    : simulated_forwarding(guest_sim::splitmix{~seed ^ own_randomness}, log, bug, std::move(note)) {}

simulated_forwarding::simulated_forwarding(guest_sim::splitmix random, const simulated_log& log, planted_bug bug,
                                           note_function note)
    : source_(log),
      bug_(bug),
      network_(random.next(), random.between(1, 3), random.pick(fault_profiles), log_,
               bug == planted_bug::answer_before_sync ? delivery_flaw::answers_before_sync : delivery_flaw::none) {
  network_.noted = [this, note = std::move(note)](const std::string& what) {
    ++faults_;
    note(what);
  };
}

void simulated_forwarding::begin_life() {
  // A start takes back half a line, and writes others behind what it leaves.
  log_.segments[1].clear();
  look();
  network_.start_host(network_.random.one_in(3) ? std::nullopt : hint_);
}

void simulated_forwarding::die() {
  if (!network_.host) return;
  hint_ = network_.host->hint();
  lines_sent_ += network_.host->status().lines_sent;
  network_.kill_host();
}

void simulated_forwarding::look() {
  std::string& seen = log_.segments[1];
  seen.append(source_.text, seen.size());
  log_.committed_end.offset = bug_ == planted_bug::forward_before_commit ? seen.size() : source_.synced();
}

void simulated_forwarding::pass(std::chrono::milliseconds time) {
  look();
  for (; time > 0ms; time -= longest_step) network_.step(std::min(time, longest_step));
}

std::vector<std::string> simulated_forwarding::finish() {
  look();
  network_.heal();
  std::vector<std::string> broken;
  if (!network_.finish()) broken.emplace_back("forwarding: not everything that is on disk was delivered");
  lines_sent_ += network_.host->status().lines_sent;
  const std::string found = network_.compare({{1, source_.text.substr(0, source_.synced())}});
  if (!found.empty()) broken.push_back("forwarding: " + found);
  return broken;
}

}  // namespace cellos::simulation
