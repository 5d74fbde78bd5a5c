#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "messages/host_probe.hpp"
#include "messages/host_sighting.hpp"

namespace cellos {

/// Turns a cell's readings, one behind the other, into what was seen of it last. Reads nothing, keeps no clock.
class cell_sight {
 public:
  cell_sight();
  ~cell_sight();
  cell_sight(const cell_sight&) = delete;
  cell_sight& operator=(const cell_sight&) = delete;

  /// With this reading, taken at `now`. One that says nothing of it changes nothing.
  const host_sighting& take(const probe_reading& reading, monotonic_time now);

 private:
  struct scratch;

  /// True if it said something.
  bool take_process(const probe_reading& reading);
  bool take_cgroup(const probe_reading& reading);
  bool take_traffic(const probe_reading& reading);

  host_sighting seen_;
  /// As counted by the reading before.
  std::optional<std::uint64_t> cpu_us_;
  std::optional<std::uint64_t> link_packets_;
  std::optional<std::uint64_t> rule_packets_;
  std::optional<bool> link_moving_;
  std::optional<bool> rules_moving_;
  std::unique_ptr<scratch> scratch_;
};

}  // namespace cellos
