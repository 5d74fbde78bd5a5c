#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "messages/host_probe.hpp"
#include "messages/probe_source.hpp"

/// Every type of event there is. One more is an enumerator and a row here, its schema in config/schemas/, a row in
/// docs/evidence.md, and who writes it: run_projection or host_projection. docs/adding-an-event.md goes through it.
namespace cellos {

/// What the `type` attribute of every event begins with; its name follows.
inline constexpr std::string_view event_type_prefix = "dev.cellos.events.cell.observability.";

enum class event_type : std::uint8_t {
  // What guests declare, in the order of probe_source. The host, too, says that telemetry was dropped.
  process_spawned,
  process_exited,
  capability_denied,
  net_connect_attempted,
  fs_inotify_fired,
  agent_heartbeat,
  telemetry_dropped,
  // What the host says of a run.
  agent_silenced,
  agent_resumed,
  run_started,
  run_resumed,
  run_checkpoint,
  run_adopted,
  run_key_changed,
  run_ended,
  // What the host read of a cell for itself, in the order of host_probe.
  probed_process,
  probed_cgroup,
  probed_tap_link,
  probed_nftables,
  probed_fc_metrics,
  probed_exec,
  // What a cell declared and its host read do not agree.
  declaration_unwitnessed,
  undeclared_activity,
  // What the host says of itself.
  host_started,
  host_stopped,
  host_key_changed,
  host_run_opened,
  host_run_closed,
  host_evidence_removed,
  host_segments_missing,
  host_evidence_truncated,
  host_evidence_blocked,
  host_evidence_lost,
  host_range_adopted,
  host_chain_abandoned,
  host_journal_unusable,
  host_line_not_understood,
  // What it says of other nodes' logs.
  host_seen,
  host_silenced,
  host_resumed,
  host_history_forked,
  host_witnessed,
};

/// Whose chain an event belongs to.
enum class chain_kind : std::uint8_t { run, host };

enum class signed_events : std::uint8_t {
  /// Where a chain is signed at all, also in mode `checkpoint`.
  always,
  /// Where each event is; otherwise the next signature of the chain vouches for it.
  by_mode,
  /// Counted, and never written.
  never_written,
};

/// `name` is without the prefix; the schema of its data is config/schemas/NAME.schema.json.
struct event_description {
  event_type type;
  std::string_view name;
  chain_kind chain;
  signed_events is_signed;
};

inline constexpr auto event_descriptions = [] {
  using enum event_type;
  using enum chain_kind;
  using enum signed_events;
  return std::array{
      event_description{process_spawned, "guest.v1.process_spawned", run, by_mode},
      event_description{process_exited, "guest.v1.process_exited", run, by_mode},
      event_description{capability_denied, "guest.v1.capability_denied", run, by_mode},
      event_description{net_connect_attempted, "guest.v1.net_connect_attempted", run, by_mode},
      event_description{fs_inotify_fired, "guest.v1.fs_inotify_fired", run, by_mode},
      event_description{agent_heartbeat, "guest.v1.agent_heartbeat", run, never_written},
      event_description{telemetry_dropped, "guest.v1.telemetry_dropped", run, by_mode},
      event_description{agent_silenced, "guest.v1.agent_silenced", run, always},
      event_description{agent_resumed, "guest.v1.agent_resumed", run, by_mode},
      event_description{run_started, "run.v1.started", run, always},
      event_description{run_resumed, "run.v1.resumed", run, always},
      event_description{run_checkpoint, "run.v1.checkpoint", run, always},
      event_description{run_adopted, "run.v1.adopted", run, always},
      event_description{run_key_changed, "run.v1.key_changed", run, always},
      event_description{run_ended, "run.v1.ended", run, always},
      event_description{probed_process, "host.probe.v1.process", run, by_mode},
      event_description{probed_cgroup, "host.probe.v1.cgroup", run, by_mode},
      event_description{probed_tap_link, "host.probe.v1.tap_link", run, by_mode},
      event_description{probed_nftables, "host.probe.v1.nftables", run, by_mode},
      event_description{probed_fc_metrics, "host.probe.v1.fc_metrics", run, by_mode},
      event_description{probed_exec, "host.probe.v1.exec", run, by_mode},
      event_description{declaration_unwitnessed, "guest.v1.declaration_unwitnessed", run, always},
      event_description{undeclared_activity, "host.probe.v1.undeclared_activity", run, always},
      event_description{host_started, "host.v1.started", host, always},
      event_description{host_stopped, "host.v1.stopped", host, always},
      event_description{host_key_changed, "host.v1.key_changed", host, always},
      event_description{host_run_opened, "host.v1.run_opened", host, always},
      event_description{host_run_closed, "host.v1.run_closed", host, always},
      event_description{host_evidence_removed, "host.v1.evidence_removed", host, always},
      event_description{host_segments_missing, "host.v1.segments_missing", host, always},
      event_description{host_evidence_truncated, "host.v1.evidence_truncated", host, always},
      event_description{host_evidence_blocked, "host.v1.evidence_blocked", host, always},
      event_description{host_evidence_lost, "host.v1.evidence_lost", host, always},
      event_description{host_range_adopted, "host.v1.range_adopted", host, always},
      event_description{host_chain_abandoned, "host.v1.chain_abandoned", host, always},
      event_description{host_journal_unusable, "host.v1.journal_unusable", host, always},
      event_description{host_line_not_understood, "host.v1.line_not_understood", host, always},
      event_description{host_seen, "host.v1.host_seen", host, always},
      event_description{host_silenced, "host.v1.silenced", host, always},
      event_description{host_resumed, "host.v1.resumed", host, always},
      event_description{host_history_forked, "host.v1.history_forked", host, always},
      event_description{host_witnessed, "host.v1.witnessed", host, always},
  };
}();

constexpr const event_description& describe(event_type type) {
  return event_descriptions[static_cast<std::size_t>(type)];
}

constexpr std::string_view name_of(event_type type) { return describe(type).name; }

/// Signed in every mode that signs.
constexpr bool is_always_signed(event_type type) { return describe(type).is_signed == signed_events::always; }

/// Of a declaration.
constexpr event_type type_of(probe_source source) { return static_cast<event_type>(source); }

/// Of a reading.
constexpr event_type type_of(host_probe probe) {
  return static_cast<event_type>(static_cast<std::size_t>(event_type::probed_process) +
                                 static_cast<std::size_t>(probe));
}

constexpr bool is_declarable(event_type type) { return static_cast<std::size_t>(type) < probe_source_names.size(); }

/// By the name without the prefix.
constexpr std::optional<event_type> find_event_type(std::string_view name) {
  for (const event_description& each : event_descriptions) {
    if (each.name == name) return each.type;
  }
  return std::nullopt;
}

/// The name in a `type` attribute; nothing if another system's.
constexpr std::optional<std::string_view> event_name_in(std::string_view type_attribute) {
  if (!type_attribute.starts_with(event_type_prefix)) return std::nullopt;
  return type_attribute.substr(event_type_prefix.size());
}

// Of types that a later version may write, too.
constexpr bool names_guest_event(std::string_view name) { return name.starts_with("guest.v1."); }
constexpr bool names_host_event(std::string_view name) { return name.starts_with("host.v1."); }

namespace detail {

constexpr bool is_each_row_in_its_place() {
  for (std::size_t i = 0; i < event_descriptions.size(); ++i) {
    const event_description& row = event_descriptions[i];
    if (row.type != static_cast<event_type>(i) || find_event_type(row.name) != row.type) return false;
    if (names_host_event(row.name) != (row.chain == chain_kind::host)) return false;
    if (row.chain == chain_kind::host && row.is_signed != signed_events::always) return false;
  }
  return true;
}

/// A declaration's type is its source, with `_` for its point.
constexpr bool is_each_source_declarable() {
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    const std::string_view source = probe_source_names[i];
    const std::string_view name = name_of(type_of(static_cast<probe_source>(i)));
    const auto same = [](char in_source, char in_name) { return (in_source == '.' ? '_' : in_source) == in_name; };
    if (!names_guest_event(name)) return false;
    const std::string_view verb = name.substr(name.rfind('.') + 1);
    if (!std::equal(source.begin(), source.end(), verb.begin(), verb.end(), same)) return false;
  }
  return true;
}

/// A reading's type is its probe, behind what all of them begin with.
constexpr bool is_each_probe_named() {
  for (std::size_t i = 0; i < host_probe_names.size(); ++i) {
    const auto probe = static_cast<host_probe>(i);
    const std::string_view name = name_of(type_of(probe));
    if (!name.starts_with(host_probe_event_begin) || !name.ends_with(short_name(probe))) return false;
    if (name.size() != host_probe_event_begin.size() + short_name(probe).size()) return false;
  }
  return true;
}

static_assert(event_descriptions.size() == static_cast<std::size_t>(event_type::host_witnessed) + 1,
              "each event type has one row");
static_assert(is_each_row_in_its_place(), "rows are in the order of event_type, each with a name of its own");
static_assert(is_each_source_declarable(), "the first rows are those of probe_source");
static_assert(is_each_probe_named(), "readings have rows in the order of host_probe");

}  // namespace detail

}  // namespace cellos
