#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "messages/instants.hpp"
#include "tests/simulation/simulated_cell.hpp"

namespace cellos::simulation {

/// What a cell does for as long as it lives.
enum class cell_script : std::uint8_t {
  /// Connects now and then, and declares each.
  honest,
  declares_without_traffic,
  traffic_without_declarations,
  /// Its agent ends and its workload goes on.
  silent_with_live_vmm,
  silent_with_dead_vmm,
};
inline constexpr std::array cell_scripts{cell_script::honest, cell_script::declares_without_traffic,
                                         cell_script::traffic_without_declarations, cell_script::silent_with_live_vmm,
                                         cell_script::silent_with_dead_vmm};

enum class scripted_act : std::uint8_t {
  connects,
  works,
  is_refused_forks,
  declares_connection,
  declares_process,
  vmm_is_killed,
};

struct timed_act {
  std::chrono::milliseconds at{};
  scripted_act what{};
};

struct scripted_cell {
  bool by_tap() const { return packets_an_attempt > 1; }
  bool falls_silent() const {
    return script == cell_script::silent_with_live_vmm || script == cell_script::silent_with_dead_vmm;
  }
  bool is_to_contradict() const {
    return script == cell_script::declares_without_traffic || script == cell_script::traffic_without_declarations;
  }

  std::string id;
  cell_script script{};
  std::uint64_t packets_an_attempt = 1;
  /// Of the agent, or the VMM.
  std::chrono::milliseconds ends_at{};
  std::deque<timed_act> acts;

  // What came of it.
  std::vector<wall_time> connected_at;
  std::vector<wall_time> declared_at;
  std::vector<wall_time> refused_at;
};

/// The same randomness, the same script.
scripted_cell make_script(cell_script script, std::chrono::milliseconds length, randomness& random);

}  // namespace cellos::simulation
