#include <chrono>

#include "actors/events.hpp"

namespace cellos {

namespace {

using level = spdlog::level::level_enum;

std::string seconds(std::chrono::nanoseconds duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1) + "s";
}

/// `vmm:signalled(9),connected:no`; empty if nobody has seen anything.
std::string in_words(const host_sighting& seen) {
  std::string out;
  const auto add = [&out](const std::string& word) { out += (out.empty() ? "" : ",") + word; };
  if (seen.vmm) {
    const std::string number = seen.vmm->number ? "(" + std::to_string(*seen.vmm->number) + ")" : "";
    add("vmm:" + std::string{to_string(seen.vmm->state)} + number);
  }
  const auto add_flag = [&](const char* name, const std::optional<bool>& flag) {
    if (flag) add(name + std::string{*flag ? ":yes" : ":no"});
  };
  add_flag("connected", seen.connected);
  add_flag("cgroup_populated", seen.cgroup_populated);
  add_flag("cpu_moving", seen.cpu_moving);
  add_flag("traffic_moving", seen.traffic_moving);
  return out;
}

}  // namespace

void operator_events::agent_silenced(const host_stamp& run, const cellos::agent_silenced& silence) {
  ++counts_.agents_silenced;
  const field cell{"cell", run.cell_id};
  const field of_run{"run", run.run_id};
  const field window{"window", seconds(silence.window)};
  const field silent_for{"silent_for", seconds(silence.observed - silence.last_accepted)};
  const std::string saw = in_words(silence.seen);
  if (saw.empty()) {
    emit(level::warn, "agent_silenced", {cell, of_run, window, silent_for});
  } else {
    emit(level::warn, "agent_silenced", {cell, of_run, window, silent_for, {"host_saw", saw}});
  }
}

void operator_events::probe_failed(const host_stamp& run, host_probe probe, probe_error_kind kind,
                                   std::string_view cause) {
  ++counts_.probes_failed;
  emit(level::warn, "probe_failed",
       {{"cell", run.cell_id},
        {"run", run.run_id},
        {"probe", std::string{to_string(probe)}},
        {"kind", std::string{to_string(kind)}},
        {"cause", std::string{cause}}});
}

void operator_events::probe_recovered(const host_stamp& run, host_probe probe) {
  emit(level::info, "probe_recovered",
       {{"cell", run.cell_id}, {"run", run.run_id}, {"probe", std::string{to_string(probe)}}});
}

void operator_events::privileged_reader_started(std::string_view capabilities) {
  ++counts_.privileged_readers_started;
  emit(level::info, "privileged_reader_started", {{"capabilities", std::string{capabilities}}});
}

void operator_events::privileged_reader_failed(std::string_view cause) {
  ++counts_.privileged_readers_failed;
  emit(level::warn, "privileged_reader_failed", {{"cause", std::string{cause}}});
}

void operator_events::contradiction_found(const host_stamp& run, const recorded_contradiction& found) {
  ++(found.of_declaration ? counts_.declarations_unwitnessed : counts_.undeclared_activities);
  emit(level::warn, "contradiction_found",
       {{"cell", run.cell_id},
        {"run", run.run_id},
        {"kind", std::string{found.kind}},
        {"confidence", std::string{found.confidence}},
        {"counted", std::to_string(found.counted)},
        {"declared", std::to_string(found.declared)}});
}

}  // namespace cellos
