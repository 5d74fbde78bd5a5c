#include "messages/host_sighting.hpp"

#include "messages/json_text.hpp"

namespace cellos {

namespace {

void append_flag(json::object_writer& members, std::string_view key, const std::optional<bool>& value) {
  if (value) members.member(key, [&](std::string& to) { to += *value ? "true" : "false"; });
}

}  // namespace

void append_sighting(std::string& out, const host_sighting& seen, monotonic_time at) {
  json::object_writer members{out};
  append_flag(members, "cgroupPopulated", seen.cgroup_populated);
  append_flag(members, "connected", seen.connected);
  append_flag(members, "cpuMoving", seen.cpu_moving);
  if (seen.looked_at) {
    const auto age = at > *seen.looked_at ? at - *seen.looked_at : std::chrono::nanoseconds{0};
    members.count("lookedBeforeNs", static_cast<std::uint64_t>(age.count()));
  }
  append_flag(members, "trafficMoving", seen.traffic_moving);
  if (!seen.vmm) return;
  members.text("vmm", to_string(seen.vmm->state));
  if (!seen.vmm->number) return;
  members.number(seen.vmm->state == vmm_state::signalled ? "vmmSignal" : "vmmStatus", *seen.vmm->number);
}

}  // namespace cellos
