#include "runtime/probes/cell_sight.hpp"

#include <simdjson.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

std::optional<dom::element> member(dom::element of, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    dom::object object;
    if (of.get(object) != simdjson::SUCCESS || object[key].get(of) != simdjson::SUCCESS) return std::nullopt;
  }
  return of;
}

std::string_view text(dom::element of, std::initializer_list<std::string_view> path) {
  const auto found = member(of, path);
  std::string_view value;
  return found && found->get(value) == simdjson::SUCCESS ? value : std::string_view{};
}

/// As readings have 64 bits: decimal text.
std::optional<std::uint64_t> count(dom::element of, std::initializer_list<std::string_view> path) {
  return whole_number(text(of, path));
}

std::optional<std::uint64_t> sum(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  return a && b ? std::optional{*a + *b} : std::nullopt;
}

/// Whether it moved since the reading before; nothing of a first one.
std::optional<bool> moved(std::optional<std::uint64_t>& before, std::optional<std::uint64_t> now) {
  const auto was = std::exchange(before, now);
  if (!was || !now) return std::nullopt;
  return *was != *now;
}

std::optional<std::uint64_t> packets_of_rows(dom::element output) {
  dom::array rows;
  const auto found = member(output, {"rows"});
  if (!found || found->get(rows) != simdjson::SUCCESS) return std::nullopt;
  std::uint64_t packets = 0;
  for (const dom::element row : rows) packets += count(row, {"packets"}).value_or(0);
  return packets;
}

}  // namespace

struct cell_sight::scratch {
  dom::parser parser;

  std::optional<dom::element> output_of(const probe_reading& reading) {
    dom::element output;
    if (parser.parse(reading.output).get(output) != simdjson::SUCCESS) return std::nullopt;
    return output;
  }
};

cell_sight::cell_sight() : scratch_(std::make_unique<scratch>()) {}
cell_sight::~cell_sight() = default;

const host_sighting& cell_sight::take(const probe_reading& reading, monotonic_time now) {
  bool said = false;
  switch (reading.probe_source) {
    case host_probe::process: said = take_process(reading); break;
    case host_probe::cgroup: said = take_cgroup(reading); break;
    case host_probe::tap_link:
    case host_probe::nftables: said = take_traffic(reading); break;
    case host_probe::fc_metrics:
    case host_probe::exec: break;
  }
  if (said) looked_at_[reading.probe_source] = now;
  return show();
}

const host_sighting& cell_sight::forget(host_probe probe) {
  switch (probe) {
    case host_probe::process:
      seen_.vmm.reset();
      seen_.cpu_moving.reset();
      cpu_us_.reset();
      break;
    case host_probe::cgroup: seen_.cgroup_populated.reset(); break;
    case host_probe::tap_link:
      link_packets_.reset();
      link_moving_.reset();
      break;
    case host_probe::nftables:
      rule_packets_.reset();
      rules_moving_.reset();
      break;
    case host_probe::fc_metrics:
    case host_probe::exec: break;
  }
  looked_at_.erase(probe);
  return show();
}

/// As old as the oldest of what it says.
const host_sighting& cell_sight::show() {
  seen_.traffic_moving.reset();
  if (link_moving_ || rules_moving_) {
    seen_.traffic_moving = link_moving_.value_or(false) || rules_moving_.value_or(false);
  }
  seen_.looked_at.reset();
  for (const auto& [probe, at] : looked_at_) seen_.looked_at = std::min(at, seen_.looked_at.value_or(at));
  return seen_;
}

bool cell_sight::take_process(const probe_reading& reading) {
  const auto output = scratch_->output_of(reading);
  bool alive = false;
  const auto found = output ? member(*output, {"alive"}) : std::nullopt;
  if (!found || found->get(alive) != simdjson::SUCCESS) return false;
  if (alive) {
    // Another process began to count anew.
    if (std::exchange(vmm_, reading.inputs) != reading.inputs) cpu_us_.reset();
    seen_.vmm = {vmm_state::alive, std::nullopt};
    seen_.cpu_moving = moved(cpu_us_, sum(count(*output, {"cpuUserUs"}), count(*output, {"cpuSystemUs"})));
    return true;
  }
  const std::string_view how = text(*output, {"ended"});
  const bool by_signal = how == "signalled";
  std::uint64_t number = 0;
  const auto value = member(*output, {by_signal ? "signal" : "exitCode"});
  const bool has_number = value && value->get(number) == simdjson::SUCCESS;
  seen_.vmm = {by_signal    ? vmm_state::signalled
               : has_number ? vmm_state::exited
                            : vmm_state::ended,
               has_number ? std::optional{static_cast<std::uint32_t>(number)} : std::nullopt};
  seen_.cpu_moving.reset();
  cpu_us_.reset();
  return true;
}

bool cell_sight::take_cgroup(const probe_reading& reading) {
  const auto output = scratch_->output_of(reading);
  if (!output) return false;
  const std::string_view populated = text(*output, {"v2", "cgroup.events", "populated"});
  if (populated.empty()) return false;
  seen_.cgroup_populated = populated != "0";
  return true;
}

bool cell_sight::take_traffic(const probe_reading& reading) {
  const auto output = scratch_->output_of(reading);
  if (!output) return false;
  const bool is_link = reading.probe_source == host_probe::tap_link;
  const auto packets =
      is_link ? sum(count(*output, {"rxPackets"}), count(*output, {"txPackets"})) : packets_of_rows(*output);
  // The two count differently, and each is compared with itself.
  const auto moving = moved(is_link ? link_packets_ : rule_packets_, packets);
  (is_link ? link_moving_ : rules_moving_) = moving;
  return moving.has_value();
}

}  // namespace cellos
