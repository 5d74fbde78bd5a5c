#include "runtime/cli/event_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "messages/escaped_text.hpp"
#include "messages/event_types.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::json;

namespace colour {
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[1;33m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view cyan = "\x1b[36m";
constexpr std::string_view reset = "\x1b[0m";
}  // namespace colour

std::string text_of(const json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? escaped(member->get_ref<const std::string&>(), 128) : "?";
}

/// A log that is only read may hold anything: what is no object is taken for an empty one.
json object_in(const json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_object() ? *member : json::object();
}

std::string seconds_of(const json& object, const char* key) {
  std::string written = text_of(object, key);
  std::uint64_t ns = 0;
  const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), ns);
  if (failed != std::errc{} || end != written.data() + written.size()) return written;
  return written.size() > 6 ? fmt::format("{:.1f} s", static_cast<double>(ns) / 1e9) : written + " ns";
}

std::string pid_of(const json& data) {
  const auto pid = data.find("guestPid");
  return pid != data.end() && pid->is_number_unsigned() ? std::to_string(pid->get<std::uint64_t>()) : "?";
}

/// Kinds with a count other than zero.
std::string by_kind(const json& refused) {
  std::string out;
  if (!refused.is_object()) return out;
  for (const auto& [kind, count] : refused.items()) {
    if (!count.is_string() || count == "0") continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", escaped(kind), escaped(count.get_ref<const std::string&>()));
  }
  return out;
}

struct description {
  std::string_view colour;
  std::string words;
};

description describe_declaration(const json& data) {
  return {colour::green, fmt::format("{:<22} pid {:<7} {:<22} {} {}", text_of(data, "probeSource"), pid_of(data),
                                     '"' + text_of(data, "guestComm") + '"', text_of(data, "runId"),
                                     text_of(data, "specSignatureHash"))};
}

description describe_ended(const json& data) {
  const json totals = object_in(data, "totals");
  const std::string refused = by_kind(object_in(totals, "refused"));
  return {colour::cyan,
          fmt::format("run ended ({}): received {}, appended {}, heartbeats {}, refused {}, forged attribution {}, in "
                      "flight {}",
                      text_of(data, "reason"), text_of(totals, "received"), text_of(totals, "appended"),
                      text_of(totals, "heartbeats"), refused.empty() ? "0" : "[" + refused + "]",
                      text_of(totals, "forgedAttribution"), text_of(totals, "inFlight"))};
}

description describe_dropped(const json& data) {
  const std::string refused = by_kind(object_in(data, "refused"));
  return {colour::red, fmt::format("telemetry dropped: {} frames, {}{}", text_of(data, "frames"),
                                   text_of(data, "reason"), refused.empty() ? "" : " [" + refused + "]")};
}

/// What a start found in the log. Nothing where the type is none of it.
std::optional<description> describe_finding(std::optional<event_type> type, const json& data) {
  if (type == event_type::run_adopted || type == event_type::host_range_adopted) {
    return description{colour::red, fmt::format("events {} to {} are vouched for by nothing{}",
                                                text_of(data, "adoptedFrom"), text_of(data, "adoptedTo"),
                                                data.contains("chain") ? ": " + text_of(data, "chain") : "")};
  }
  if (type == event_type::host_chain_abandoned) {
    return description{colour::red,
                       fmt::format("chain abandoned ({}): {}", text_of(data, "cause"), text_of(data, "chain"))};
  }
  if (type == event_type::host_evidence_lost) {
    return description{colour::red, fmt::format("lost with the power: {} after {}", text_of(data, "chain"),
                                                text_of(data, "foundSequence"))};
  }
  if (type == event_type::host_journal_unusable) {
    return description{colour::red, "recovery journal unusable: " + text_of(data, "cause")};
  }
  if (type == event_type::host_line_not_understood) {
    return description{colour::red,
                       fmt::format("not an event: line {} of {}", text_of(data, "line"), text_of(data, "file"))};
  }
  return std::nullopt;
}

/// The host's own chain. Nothing where the type is none of it.
std::optional<description> describe_host(std::optional<event_type> type, const json& data) {
  if (type == event_type::host_started) {
    return description{colour::cyan, fmt::format("daemon started: {}", text_of(data, "daemonVersion"))};
  }
  if (type == event_type::host_stopped) return description{colour::cyan, "daemon stopped"};
  if (type == event_type::host_run_opened) return description{colour::dim, "run opened: " + text_of(data, "chain")};
  if (type == event_type::host_run_closed) {
    return description{colour::dim,
                       fmt::format("run closed: {} at {}", text_of(data, "chain"), text_of(data, "lastSequence"))};
  }
  if (type == event_type::host_evidence_blocked) {
    return description{colour::red, fmt::format("evidence log took nothing for {}: {}",
                                                seconds_of(data, "blockedForNs"), text_of(data, "cause"))};
  }
  if (type == event_type::host_evidence_removed) {
    return description{colour::dim,
                       fmt::format("retention removes segments {} to {}: {} bytes", text_of(data, "firstSegment"),
                                   text_of(data, "lastSegment"), text_of(data, "bytes"))};
  }
  if (type == event_type::host_segments_missing) {
    return description{colour::red, fmt::format("segments {} to {} are missing", text_of(data, "firstSegment"),
                                                text_of(data, "lastSegment"))};
  }
  if (type == event_type::host_evidence_truncated) {
    return description{colour::red, fmt::format("torn last line cut off: {} bytes of {}", text_of(data, "bytesRemoved"),
                                                text_of(data, "file"))};
  }
  return std::nullopt;
}

/// ` (VMM signalled 9, not connected)`; empty where the host had seen nothing.
std::string seen_in(const json& data) {
  if (!data.contains("hostSaw")) return {};
  const json seen = object_in(data, "hostSaw");
  std::string out;
  const auto add = [&out](const std::string& words) { out += (out.empty() ? "" : ", ") + words; };
  if (seen.contains("vmm")) {
    const json number = seen.value("vmmSignal", seen.value("vmmStatus", json{}));
    add("VMM " + text_of(seen, "vmm") + (number.is_number_unsigned() ? " " + number.dump() : ""));
  }
  const auto add_flag = [&](const char* key, const std::string& yes, const std::string& no) {
    const json flag = seen.value(key, json{});
    if (flag.is_boolean()) add(flag.get<bool>() ? yes : no);
  };
  add_flag("connected", "connected", "not connected");
  add_flag("cgroupPopulated", "processes in its group", "no process in its group");
  add_flag("cpuMoving", "CPU moving", "CPU standing still");
  add_flag("trafficMoving", "traffic moving", "no traffic");
  return out.empty() ? out : "; the host saw: " + out;
}

/// What the host read, and what that contradicts. Nothing where the type is none of it.
std::optional<description> describe_probe(std::optional<event_type> type, const json& data) {
  if (type == event_type::declaration_unwitnessed || type == event_type::undeclared_activity) {
    return description{colour::red, fmt::format("CONTRADICTION: {} ({}): the host counted {}, the cell declared {}",
                                                text_of(data, "kind"), text_of(data, "confidence"),
                                                text_of(data, "counted"), text_of(data, "declared"))};
  }
  const json reading = object_in(data, "reading");
  if (reading.empty()) return std::nullopt;
  constexpr std::size_t most_bytes = 160;
  return description{colour::dim, fmt::format("{:<22} {}", text_of(reading, "probeSource"),
                                              escaped(object_in(reading, "output").dump(), most_bytes, "\""))};
}

/// What a host's chain says of other nodes' logs. Nothing where the type is none of it.
std::optional<description> describe_node(std::optional<event_type> type, const json& data) {
  if (type == event_type::host_seen) return description{colour::dim, "first word of host " + text_of(data, "ofHost")};
  if (type == event_type::host_silenced) {
    return description{colour::yellow,
                       fmt::format("HOST SILENCED: {}, nothing for {} (window {})", text_of(data, "ofHost"),
                                   seconds_of(data, "unheardForNs"), seconds_of(data, "silenceWindowNs"))};
  }
  if (type == event_type::host_resumed) {
    return description{colour::yellow, "host resumed: " + text_of(data, "ofHost")};
  }
  if (type == event_type::host_history_forked) {
    const std::string whose = data.contains("ofHost") ? text_of(data, "ofHost") + ", kept in " + text_of(data, "keptIn")
                                                      : "this host's, at " + text_of(data, "collector");
    return description{colour::red, fmt::format("HISTORY FORKED: {}, up to {}:{}", whose, text_of(data, "segment"),
                                                text_of(data, "offset"))};
  }
  if (type == event_type::host_witnessed) {
    return description{colour::dim, fmt::format("witnessed: {} up to {}:{}", text_of(data, "ofHost"),
                                                text_of(data, "segment"), text_of(data, "offset"))};
  }
  return std::nullopt;
}

/// Nothing where the type is not known.
std::optional<description> describe(std::optional<event_type> type, const json& data) {
  if (data.contains("probeSource")) return describe_declaration(data);
  if (auto described = describe_host(type, data)) return described;
  if (auto found = describe_finding(type, data)) return found;
  if (auto of_node = describe_node(type, data)) return of_node;
  if (auto of_probe = describe_probe(type, data)) return of_probe;
  if (type == event_type::run_checkpoint) return description{colour::dim, "checkpoint"};
  if (type == event_type::run_key_changed || type == event_type::host_key_changed) {
    return description{colour::yellow, fmt::format("signing key changed: {} to {}", text_of(data, "formerKeyId"),
                                                   text_of(data, "keyId"))};
  }
  if (type == event_type::run_started) {
    return description{colour::cyan,
                       fmt::format("run started: {} {}", text_of(data, "runId"), text_of(data, "specSignatureHash"))};
  }
  if (type == event_type::run_ended) return describe_ended(data);
  if (type == event_type::agent_silenced) {
    return description{colour::yellow,
                       fmt::format("AGENT SILENCED: nothing for {} (window {}){}", seconds_of(data, "silentForNs"),
                                   seconds_of(data, "silenceWindowNs"), seen_in(data))};
  }
  if (type == event_type::agent_resumed) return description{colour::yellow, "agent resumed"};
  if (type == event_type::telemetry_dropped) return describe_dropped(data);
  return std::nullopt;
}

}  // namespace

std::optional<event_summary> summarise_event(std::string_view line, bool colours) {
  const json event = json::parse(line, nullptr, false);
  if (!event.is_object() || !event.contains("data") || !event["data"].is_object()) return std::nullopt;
  const std::string type = text_of(event, "type");
  const auto name = event_name_in(type);
  if (!name) return std::nullopt;

  const json& data = event["data"];
  event_summary summary;
  summary.type = *name;
  summary.cell_id = names_host_event(summary.type) ? "(host)" : text_of(data, "cellId");
  const std::string time = text_of(event, "time");
  const std::string clock = time.size() > 23 ? time.substr(11, 12) : time;
  const description described = describe(find_event_type(*name), data).value_or(description{"", escaped(*name, 128)});
  summary.text = colours ? fmt::format("{}{}{}  {:<12} {}{}{}", colour::dim, clock, colour::reset, summary.cell_id,
                                       described.colour, described.words, colour::reset)
                         : fmt::format("{}  {:<12} {}", clock, summary.cell_id, described.words);
  return summary;
}

}  // namespace cellos::cli
