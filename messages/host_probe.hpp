#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "messages/instants.hpp"

namespace cellos {

/// What the host reads of a cell for itself, beside what the cell declares.
enum class host_probe : std::uint8_t {
  /// The VMM behind the cell's telemetry connection.
  process,
  cgroup,
  tap_link,
  nftables,
  fc_metrics,
  /// A program of the administrator's.
  exec,
};

/// What the type of a reading's event is named with, before short_name().
inline constexpr std::string_view host_probe_event_begin = "host.probe.v1.";

/// Spelling of each probe, in enumerator order, as upstream has it; `process` and `exec` are chosen here.
inline constexpr std::array<std::string_view, 6> host_probe_names{
    "host.process", "host.cgroup", "host.tap_link", "host.nftables", "host.fc_metrics", "host.exec",
};

constexpr std::string_view to_string(host_probe probe) { return host_probe_names[static_cast<std::size_t>(probe)]; }

/// The name behind `host.`: what the type of a reading's event ends with.
constexpr std::string_view short_name(host_probe probe) {
  return to_string(probe).substr(std::string_view{"host."}.size());
}

/// The probe spelled exactly so, or nothing.
constexpr std::optional<host_probe> parse_host_probe(std::string_view spelling) {
  for (std::size_t i = 0; i < host_probe_names.size(); ++i) {
    if (host_probe_names[i] == spelling) return static_cast<host_probe>(i);
  }
  return std::nullopt;
}

/// Why there is no reading. None of these is the cell's end: what is missing widens the silence, no more.
enum class probe_error_kind : std::uint8_t {
  /// The kernel, or the build, lacks what the probe asks.
  platform_unsupported,
  io,
  timed_out,
  /// The source is not what it should be: another kind of file, too long, no form that is known.
  malformed_source,
  permission_denied,
};

inline constexpr std::array<std::string_view, 5> probe_error_names{
    "platform_unsupported", "io", "timed_out", "malformed_source", "permission_denied",
};

constexpr std::string_view to_string(probe_error_kind kind) {
  return probe_error_names[static_cast<std::size_t>(kind)];
}

struct probe_error {
  probe_error_kind kind{};
  /// For an operator: which source, and what was wrong with it. Nothing of what stood in the source is in it.
  std::string words;

  bool operator==(const probe_error&) const = default;
};

/// One look at one source. Both texts are JSON objects as RFC 8785 writes them.
struct probe_reading {
  host_probe probe_source{};
  /// What was read: enough to read it again, and to get the same `output` of a system that has not moved since.
  std::string inputs;
  std::string output;
  /// Set when the reading is handed on, not when the source was read, so that the order of the two stays visible.
  std::optional<wall_time> host_received_at;

  bool operator==(const probe_reading&) const = default;
};

using probe_reading_ptr = std::shared_ptr<const probe_reading>;

/// As it is in an event's data: `{"inputs":{...},"output":{...},"probeSource":"host.cgroup"}`.
void append_reading(std::string& out, const probe_reading& reading);

/// A value, or why there is none.
template <class Value>
class probe_result {
 public:
  // Both sides of a read return into it.
  probe_result(Value value) : content_(std::in_place_index<0>, std::move(value)) {}
  probe_result(probe_error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  const Value& operator*() const { return *std::get_if<0>(&content_); }
  Value& operator*() { return *std::get_if<0>(&content_); }
  const Value* operator->() const { return std::get_if<0>(&content_); }
  Value* operator->() { return std::get_if<0>(&content_); }
  /// Only where there is no value.
  const probe_error& error() const { return *std::get_if<1>(&content_); }

 private:
  std::variant<Value, probe_error> content_;
};

}  // namespace cellos
