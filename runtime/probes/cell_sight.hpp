#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

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
  /// Without what this probe said: it says nothing any more.
  const host_sighting& forget(host_probe probe);

 private:
  struct scratch;

  /// True if it said something.
  bool take_process(const probe_reading& reading);
  bool take_cgroup(const probe_reading& reading);
  bool take_traffic(const probe_reading& reading);
  const host_sighting& show();

  host_sighting seen_;
  /// When each probe said something last, of those that still say it.
  std::map<host_probe, monotonic_time> looked_at_;
  /// Whose CPU time was counted.
  std::string vmm_;
  /// As counted by the reading before.
  std::optional<std::uint64_t> cpu_us_;
  std::optional<std::uint64_t> link_packets_;
  std::optional<std::uint64_t> rule_packets_;
  std::optional<bool> link_moving_;
  std::optional<bool> rules_moving_;
  std::unique_ptr<scratch> scratch_;
};

}  // namespace cellos
