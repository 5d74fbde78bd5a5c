#include "runtime/cross_witness/witness_line_reader.hpp"

#include <simdjson.h>

#include <charconv>
#include <chrono>
#include <initializer_list>
#include <limits>
#include <utility>

#include "messages/event_types.hpp"
#include "messages/host_probe.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;
using content = decltype(witness_line::what);

std::optional<dom::element> member(dom::element of, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    dom::object object;
    if (of.get(object) != simdjson::SUCCESS || object[key].get(of) != simdjson::SUCCESS) return std::nullopt;
  }
  return of;
}

std::optional<std::string_view> text(dom::element of, std::initializer_list<std::string_view> path) {
  const auto found = member(of, path);
  std::string_view value;
  if (!found || found->get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

/// A number, or a decimal string, as 64 bits are written.
std::optional<std::uint64_t> count(dom::element of, std::initializer_list<std::string_view> path) {
  const auto found = member(of, path);
  std::uint64_t number = 0;
  if (found && found->get(number) == simdjson::SUCCESS) return number;
  const auto digits = text(of, path);
  if (!digits || digits->empty()) return std::nullopt;
  const auto end = digits->data() + digits->size();
  const auto [stop, error] = std::from_chars(digits->data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<content> declaration_in(event_type type, dom::element data) {
  const auto pid = count(data, {"guestPid"});
  if (!pid || *pid > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return witnessed::declaration{static_cast<probe_source>(type), static_cast<std::uint32_t>(*pid)};
}

std::optional<content> silence_in(dom::element data) {
  const auto silent_for = count(data, {"silentForNs"});
  if (!silent_for || *silent_for > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return witnessed::silence{std::chrono::nanoseconds{static_cast<std::int64_t>(*silent_for)}};
}

std::optional<content> content_of(event_type type, dom::element data) {
  // The host says of the same type that declarations were lost, without a guest's pid.
  if (type == event_type::telemetry_dropped) return witnessed::loss{};
  if (is_declarable(type)) return declaration_in(type, data);
  switch (type) {
    case event_type::agent_silenced: return silence_in(data);
    case event_type::agent_resumed: return witnessed::resumption{};
    case event_type::run_resumed: return witnessed::restart{};
    case event_type::run_ended: return witnessed::end{};
    default: return std::nullopt;
  }
}

std::optional<content> attempts_in(dom::element data, std::string_view counter) {
  dom::array rows;
  const auto found = member(data, {"reading", "output", "rows"});
  if (!found || found->get(rows) != simdjson::SUCCESS) return std::nullopt;
  for (const dom::element row : rows) {
    const auto packets = count(row, {"packets"});
    const auto handle = count(row, {"handle"});
    if (text(row, {"name"}) != counter || !packets || !handle) continue;
    return witnessed::network_reading{witnessed::network_counter::connection_attempts, *packets, *handle};
  }
  return std::nullopt;
}

std::optional<content> packets_in(dom::element data) {
  const auto packets = count(data, {"reading", "output", "rxPackets"});
  const auto index = count(data, {"reading", "output", "index"});
  if (!packets || !index) return std::nullopt;
  return witnessed::network_reading{witnessed::network_counter::packets, *packets, *index};
}

std::optional<content> group_in(dom::element data) {
  witnessed::cgroup_reading reading;
  reading.oom_kills = count(data, {"reading", "output", "v2", "memory.events", "oom_kill"});
  if (!reading.oom_kills) {
    reading.oom_kills = count(data, {"reading", "output", "memory", "memory.oom_control", "oom_kill"});
  }
  reading.refused_forks = count(data, {"reading", "output", "v2", "pids.events", "max"});
  if (!reading.refused_forks) reading.refused_forks = count(data, {"reading", "output", "pids", "pids.events", "max"});
  if (!reading.oom_kills && !reading.refused_forks) return std::nullopt;
  return reading;
}

std::optional<content> vmm_in(dom::element data) {
  const auto found = member(data, {"reading", "output", "alive"});
  bool alive = false;
  if (!found || found->get(alive) != simdjson::SUCCESS) return std::nullopt;
  return witnessed::vmm_reading{alive};
}

std::optional<host_probe> probe_named(std::string_view event_name) {
  if (!event_name.starts_with(host_probe_event_begin)) return std::nullopt;
  event_name.remove_prefix(host_probe_event_begin.size());
  for (std::size_t i = 0; i < host_probe_names.size(); ++i) {
    const auto probe = static_cast<host_probe>(i);
    if (short_name(probe) == event_name) return probe;
  }
  return std::nullopt;
}

/// What the others read may be long, and says nothing that is declared.
bool is_compared(host_probe probe) { return probe != host_probe::fc_metrics && probe != host_probe::exec; }

/// `counter`: of attempts to connect; learnt from the reading where it is empty.
std::optional<content> reading_in(host_probe probe, dom::element data, std::string& counter) {
  if (probe == host_probe::nftables && counter.empty()) {
    counter = text(data, {"reading", "inputs", "connectionCounter"}).value_or("");
  }
  switch (probe) {
    case host_probe::process: return vmm_in(data);
    case host_probe::cgroup: return group_in(data);
    case host_probe::tap_link: return counter.empty() ? packets_in(data) : std::nullopt;
    case host_probe::nftables: return counter.empty() ? std::nullopt : attempts_in(data, counter);
    case host_probe::fc_metrics:
    case host_probe::exec: break;
  }
  return std::nullopt;
}

}  // namespace

struct witness_line_reader::scratch {
  dom::parser parser;
};

witness_line_reader::witness_line_reader(std::string attempts_counter)
    : attempts_counter_(std::move(attempts_counter)), scratch_(std::make_unique<scratch>()) {}
witness_line_reader::~witness_line_reader() = default;

std::optional<witness_line> witness_line_reader::read(const event_line& line) {
  const auto name = event_name_in(line.type);
  const auto sequence = parse_sequence(line.sequence);
  const auto at = parse_timestamp(line.time);
  if (!name || !sequence || !at) return std::nullopt;
  const auto type = find_event_type(*name);
  const auto probe = probe_named(*name);
  if (probe && !is_compared(*probe)) return std::nullopt;
  dom::element data;
  if (!type || scratch_->parser.parse(line.data.data(), line.data.size()).get(data) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  const auto what = probe ? reading_in(*probe, data, attempts_counter_) : content_of(*type, data);
  if (!what) return std::nullopt;
  return witness_line{*sequence, *at, *what};
}

std::optional<witness_line> witness_line_reader::read(std::uint64_t sequence, wall_time at,
                                                      const probe_reading& reading) {
  if (!is_compared(reading.probe_source)) return std::nullopt;
  std::string text = R"({"reading":)";
  append_reading(text, reading);
  text += '}';
  dom::element data;
  if (scratch_->parser.parse(text).get(data) != simdjson::SUCCESS) return std::nullopt;
  const auto what = reading_in(reading.probe_source, data, attempts_counter_);
  if (!what) return std::nullopt;
  return witness_line{sequence, at, *what};
}

}  // namespace cellos
