#include "runtime/control/cell_document.hpp"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "messages/escaped_text.hpp"
#include "messages/timestamp.hpp"
#include "runtime/configuration/cell_rules.hpp"
#include "runtime/configuration/configuration_error.hpp"
#include "runtime/configuration/keys.hpp"
#include "runtime/text/nearest_name.hpp"

namespace cellos {

namespace {

using json = nlohmann::ordered_json;
using namespace settings;

std::string_view type_of(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "an array";
    case json::value_t::string: return "a string";
    case json::value_t::boolean: return "a boolean";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return "an integer";
    case json::value_t::number_float: return "a decimal number";
    case json::value_t::null: return "null";
    default: return "nothing";
  }
}

written_value value_of(const json& value) {
  written_value written{type_of(value), std::nullopt, std::nullopt, std::nullopt};
  if (value.is_string()) written.text = value.get_ref<const std::string&>();
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    written.integer = static_cast<std::int64_t>(std::min(number, most));
  } else if (value.is_number_integer()) {
    written.integer = value.get<std::int64_t>();
  } else if (value.is_array() &&
             std::all_of(value.begin(), value.end(), [](const json& each) { return each.is_string(); })) {
    written.texts = value.get<std::vector<std::string>>();
  }
  return written;
}

/// Parses, and notices what the parser forgives: one name twice.
class strict_parsing {
 public:
  explicit strict_parsing(std::string_view text) {
    constexpr int deepest = 8;
    std::vector<std::set<std::string>> names;
    const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > deepest) too_deep_ = true;
      switch (event) {
        case json::parse_event_t::object_start: names.emplace_back(); break;
        case json::parse_event_t::object_end: names.pop_back(); break;
        case json::parse_event_t::key:
          if (!names.back().insert(parsed.get<std::string>()).second) doubled_ = parsed.get<std::string>();
          break;
        default: break;
      }
      return true;
    };
    try {
      value_ = json::parse(text, look);
    } catch (const json::parse_error& error) {
      mistake_ = fmt::format("is not JSON, from byte {} on", error.byte);
    } catch (const json::exception& error) {
      mistake_ = "is not JSON that can be read";
    }
  }

  std::optional<document_refusal> refusal() const {
    if (!mistake_.empty()) return document_refusal{"the body " + mistake_, "", "send one JSON object"};
    if (!value_.is_object()) {
      return document_refusal{fmt::format("the body is {}, not an object", type_of(value_)), "",
                              "send one JSON object"};
    }
    if (doubled_) return document_refusal{"is there twice", escaped(*doubled_), "write it once"};
    if (too_deep_) return document_refusal{"the body is nested too deeply", "", "send one flat JSON object"};
    return std::nullopt;
  }

  const json& value() const { return value_; }

 private:
  json value_;
  std::string mistake_;
  std::optional<std::string> doubled_;
  bool too_deep_ = false;
};

std::string hint_for(const key& known, const complaint& complained) {
  const std::string value = complained.instead.empty() ? std::string{known.example} : complained.instead;
  std::string hint = fmt::format("write \"{}\": {}", known.name, value);
  if (!complained.note.empty()) hint += fmt::format(" ({})", complained.note);
  return hint;
}

document_refusal unknown_field(std::string_view name, const std::vector<std::string_view>& known) {
  document_refusal out{"is not a field of a cell", escaped(name), {}};
  if (name == "id") {
    out.hint = "remove it: the id is in the path";
  } else if (const auto near = nearest_name(name, known)) {
    out.hint = fmt::format("did you mean \"{}\"?", *near);
  } else {
    out.hint = fmt::format("remove it; known are {}", fmt::join(known, ", "));
  }
  return out;
}

/// Those that are set.
void add_probes(json& out, const cell_probes& probes) {
  if (probes.recorded) {
    json names = json::array();
    for (const host_probe each : *probes.recorded) names.push_back(short_name(each));
    out["probes"] = std::move(names);
  }
  const auto add = [&out](const char* name, const auto& value) {
    if (value) out[name] = *value;
  };
  add("tap", probes.tap);
  add("nft_table", probes.nft_table);
  add("connection_counter", probes.connection_counter);
  add("network_namespace", probes.network_namespace);
  add("fc_metrics", probes.fc_metrics);
  add("fc_api_socket", probes.fc_api_socket);
  add("cgroup", probes.cgroup);
  add("attempts_threshold", probes.terms.attempts_threshold);
  add("packets_threshold", probes.terms.packets_threshold);
  add("declarations_threshold", probes.terms.declarations_threshold);
  add("attempts_background", probes.terms.attempts_background);
  add("packets_background", probes.terms.packets_background);
}

json seen_to_json(const host_sighting& seen) {
  json out = json::object();
  const auto add = [&out](const char* name, const auto& value) { out[name] = value ? json(*value) : json(nullptr); };
  out["vmm"] = seen.vmm ? json(to_string(seen.vmm->state)) : json(nullptr);
  add("connected", seen.connected);
  add("cgroup_populated", seen.cgroup_populated);
  add("cpu_moving", seen.cpu_moving);
  add("traffic_moving", seen.traffic_moving);
  return out;
}

}  // namespace

cell_or_refusal read_cell(std::string_view id, std::string_view body) {
  cell_specification cell;
  cell.cell_id = id;
  if (const auto complained = identifier(id)) {
    return document_refusal{complained->problem, "id", complained->note + "; the id is in the path"};
  }
  const strict_parsing parsed{body};
  if (auto refused = parsed.refusal()) return *refused;
  const std::vector<key> keys = keys_of(cell);
  std::vector<std::string_view> names;
  for (const key& known : keys) {
    if (known.name != "id") names.push_back(known.name);
  }
  for (const auto& [name, value] : parsed.value().items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return unknown_field(name, names);
  }
  // It runs a program as this daemon's user, who may write the log.
  if (parsed.value().contains("exec_probe")) {
    return document_refusal{"is for the configuration file alone", "exec_probe",
                            "whoever may ask here may not run programs"};
  }
  for (const key& known : keys) {
    if (known.name == "id") continue;
    const auto found = parsed.value().find(std::string{known.name});
    // A member that is null is one that its writer has nothing for.
    const bool is_there = found != parsed.value().end() && (!found->is_null() || known.need == presence::required);
    if (!is_there) {
      if (known.need == presence::optional) continue;
      return document_refusal{"is missing", std::string{known.name},
                              fmt::format("write \"{}\": {}", known.name, known.example)};
    }
    if (const auto complained = known.read(value_of(*found))) {
      return document_refusal{complained->problem, std::string{known.name}, hint_for(known, *complained)};
    }
  }
  for (const cell_complaint& each : complaints_about(cell)) {
    return document_refusal{each.problem, std::string{each.key}, each.remedy};
  }
  return cell;
}

json cell_to_json(const cell_specification& cell) {
  json out{{"run_id", cell.run_id},
           {"vsock_uds_base", cell.vsock_uds_base},
           {"spec_signature_hash", cell.spec_signature_hash},
           {"keepalive_window", duration_text(cell.keepalive_window)}};
  if (cell.expected_uid) out["expected_uid"] = *cell.expected_uid;
  out["on_agent_failure"] = to_string(cell.on_agent_failure);
  add_probes(out, cell.probes);
  return out;
}

json to_json(const run_totals& totals) {
  json refused = json::object();
  for (const telemetry_errc kind : refusal_kinds) refused[std::string{to_string(kind)}] = totals.refused[kind];
  return {{"received", totals.received},       {"appended", totals.appended},
          {"heartbeats", totals.heartbeats},   {"refused", std::move(refused)},
          {"quarantined", totals.quarantined}, {"forged_attribution", totals.forged_attribution},
          {"connections", totals.connections}, {"in_flight", totals.in_flight()}};
}

json to_json(const cell_status& status) {
  json out{{"cell_id", status.cell_id},
           {"run_id", status.run_id},
           {"chain", status.chain},
           {"socket_path", status.socket_path},
           {"spec_signature_hash", status.spec_signature_hash},
           {"state", to_string(status.state)},
           {"totals", to_json(status.totals)},
           {"last_frame", nullptr},
           {"keepalive_window", duration_text(status.keepalive_window)},
           {"silence_in_seconds", nullptr},
           {"connections_open", status.connections_open},
           {"connections_refused", status.connections_refused},
           {"bytes_received", status.bytes_received}};
  out["host_saw"] = seen_to_json(status.seen);
  if (status.last_frame) out["last_frame"] = std::string{timestamp_text{*status.last_frame}.view()};
  if (status.silence_in) out["silence_in_seconds"] = seconds_of(*status.silence_in);
  if (status.stale_for) out["stale_for_seconds"] = seconds_of(*status.stale_for);
  return out;
}

double seconds_of(std::chrono::nanoseconds duration) {
  return std::round(std::chrono::duration<double>(duration).count() * 1000) / 1000;
}

std::string duration_text(std::chrono::nanoseconds duration) {
  struct unit {
    std::int64_t nanoseconds;
    const char* name;
  };
  constexpr unit units[]{{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
  for (const unit& each : units) {
    if (duration.count() % each.nanoseconds == 0)
      return fmt::format("{}{}", duration.count() / each.nanoseconds, each.name);
  }
  return fmt::format("{}.{:03}us", duration.count() / 1000, duration.count() % 1000);
}

}  // namespace cellos
