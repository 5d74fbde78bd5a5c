#include "tests/simulation/script.hpp"

#include <algorithm>

namespace cellos::simulation {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

milliseconds drawn(randomness& random, milliseconds from, milliseconds to) {
  return from + milliseconds{static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>((to - from).count())))};
}

class writer {
 public:
  writer(scripted_cell& cell, milliseconds length, randomness& random)
      : cell_(cell), length_(length), random_(random) {}

  void write() {
    const bool agent_ends = cell_.falls_silent();
    const milliseconds vmm_ends = cell_.script == cell_script::silent_with_dead_vmm ? cell_.ends_at : length_;
    every(2s, agent_ends ? cell_.ends_at : length_, scripted_act::declares_process);
    every(1s, vmm_ends, scripted_act::works);
    switch (cell_.script) {
      case cell_script::honest: return connect_and_declare(length_, length_);
      case cell_script::declares_without_traffic: return every(5s, length_, scripted_act::declares_connection);
      case cell_script::traffic_without_declarations: return every(2s, length_, scripted_act::connects);
      case cell_script::silent_with_live_vmm: return connect_and_declare(cell_.ends_at, length_);
      case cell_script::silent_with_dead_vmm:
        connect_and_declare(cell_.ends_at, cell_.ends_at);
        return add(cell_.ends_at, scripted_act::vmm_is_killed);
    }
  }

  void refuse_forks() {
    for (milliseconds at = drawn(random_, 0s, 90s); at < length_; at += drawn(random_, 20s, 90s)) {
      add(at, scripted_act::is_refused_forks);
    }
  }

 private:
  void add(milliseconds at, scripted_act what) { cell_.acts.push_back({at, what}); }

  /// About so often.
  void every(milliseconds period, milliseconds until, scripted_act what) {
    for (milliseconds at = 1s; at < until; at += period) {
      const milliseconds moved = at + drawn(random_, 0s, period / 4);
      if (moved < until) add(moved, what);
    }
  }

  /// An honest cell is idle for minutes and busy for others; of one that falls silent it is to be seen that it works.
  void connect_and_declare(milliseconds agent_until, milliseconds until) {
    const bool steady = cell_.falls_silent();
    for (milliseconds at = drawn(random_, 1s, 10s); at < until;) {
      add(at, scripted_act::connects);
      // As the agent polls, and what it says queues.
      const milliseconds said = at + drawn(random_, 1ms, 1s);
      if (said < agent_until) add(said, scripted_act::declares_connection);
      at +=
          steady ? drawn(random_, 1s, 3s) : (chance(random_, 50) ? drawn(random_, 30s, 90s) : drawn(random_, 50ms, 6s));
    }
  }

  scripted_cell& cell_;
  milliseconds length_;
  randomness& random_;
};

constexpr std::array names{"honest", "declares-without-traffic", "traffic-without-declarations", "silent-with-live-vmm",
                           "silent-with-dead-vmm"};

}  // namespace

scripted_cell make_script(cell_script script, milliseconds length, randomness& random) {
  scripted_cell cell;
  cell.id = names[static_cast<std::size_t>(script)];
  cell.script = script;
  cell.packets_an_attempt = chance(random, 300) ? 50 : 1;
  cell.ends_at = drawn(random, 60s, length - 90s);
  writer out{cell, length, random};
  out.write();
  if (cell.is_to_contradict() && chance(random, 500)) out.refuse_forks();
  std::stable_sort(cell.acts.begin(), cell.acts.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return cell;
}

}  // namespace cellos::simulation
