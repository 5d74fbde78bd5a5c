#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/forwarding/delivery.hpp"
#include "tests/simulation/simulation.hpp"
#include "tests/simulation/world.hpp"
#include "tests/support/delivery_network.hpp"
#include "tests/support/text_log.hpp"

namespace cellos::simulation {

/// The simulated host's log on its way to simulated collectors: production's delivery, windows, copies and commits,
/// with links that lose, delay, reorder and partition, collectors that die, and disks that refuse.
///
/// Its randomness is its own: a seed decides the same of the host whether or not it forwards.
class simulated_forwarding {
 public:
  using note_function = std::function<void(std::string)>;

  /// `log` must outlive it.
  simulated_forwarding(std::uint64_t seed, const simulated_log& log, planted_bug bug, note_function note);

  /// The daemon starts: with what the one before remembered, if that was written.
  void begin_life();
  void die();
  void pass(std::chrono::milliseconds time);
  /// Nothing goes wrong any more: what is on the host's disk must come to be at the collectors, and nothing else.
  std::vector<std::string> finish();

  std::uint64_t lines_sent() const { return lines_sent_; }
  std::uint64_t faults() const { return faults_; }

 private:
  simulated_forwarding(guest_sim::splitmix random, const simulated_log& log, planted_bug bug, note_function note);
  /// What the log has become since.
  void look();

  const simulated_log& source_;
  planted_bug bug_;
  test::text_log log_;
  std::uint64_t lines_sent_ = 0;
  std::uint64_t faults_ = 0;
  test::delivery_network network_;
  std::optional<delivery_hint> hint_;
};

/// Whether a host forwards under this seed.
bool forwards(std::uint64_t seed);

}  // namespace cellos::simulation
