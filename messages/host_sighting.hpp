#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "messages/instants.hpp"

namespace cellos {

/// How a cell's VMM was seen last.
enum class vmm_state : std::uint8_t {
  alive,
  exited,
  signalled,
  /// Its parent had collected the status before anybody looked.
  ended,
};

constexpr std::string_view to_string(vmm_state state) {
  switch (state) {
    case vmm_state::alive: return "alive";
    case vmm_state::exited: return "exited";
    case vmm_state::signalled: return "signalled";
    case vmm_state::ended: return "ended";
  }
  return "ended";
}

/// What the host saw of a cell for itself, when it looked last. What nobody has looked at is empty.
struct host_sighting {
  struct vmm_sighting {
    vmm_state state{};
    /// The exit code, or the signal's number.
    std::optional<std::uint32_t> number{};
    bool operator==(const vmm_sighting&) const = default;
  };

  std::optional<vmm_sighting> vmm{};
  /// Whether there are processes in its control group.
  std::optional<bool> cgroup_populated{};
  /// Between the last two looks: whether its VMM, or its group, used CPU time, and whether its interface or counters
  /// counted anything.
  std::optional<bool> cpu_moving{};
  std::optional<bool> traffic_moving{};
  /// Whether a telemetry connection is open.
  std::optional<bool> connected{};
  /// When what is said above was seen, of several looks the oldest; but for `connected`, which is of the moment.
  std::optional<monotonic_time> looked_at{};

  bool is_empty() const { return !vmm && !cgroup_populated && !cpu_moving && !traffic_moving && !connected; }
  bool operator==(const host_sighting&) const = default;
};

/// As an event's member has it. `at`: of the event; says how old the look was.
void append_sighting(std::string& out, const host_sighting& seen, monotonic_time at);

/// One cell's, for whoever wants to know without asking or waiting. Thread-safe.
class sighting_board {
 public:
  host_sighting read() const {
    const std::lock_guard lock{mutex_};
    return seen_;
  }
  void show(const host_sighting& seen) {
    const std::lock_guard lock{mutex_};
    seen_ = seen;
  }

 private:
  mutable std::mutex mutex_;
  host_sighting seen_;
};

using sighting_board_ptr = std::shared_ptr<sighting_board>;

}  // namespace cellos
