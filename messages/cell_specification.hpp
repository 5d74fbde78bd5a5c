#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/cell_probes.hpp"

namespace cellos {

/// What happens to a cell whose actors cannot be kept alive.
enum class agent_failure_policy : std::uint8_t {
  /// Say so and try again after a pause.
  report,
  /// Retire the cell loudly.
  fail_cell,
};

/// As configurations spell it.
constexpr std::string_view to_string(agent_failure_policy policy) {
  return policy == agent_failure_policy::fail_cell ? "fail-cell" : "report";
}

/// The socket that is bound for Firecracker's `uds_path`: `<vsock_uds_base>_9001`.
std::string telemetry_socket_of(std::string_view vsock_uds_base);

/// A microVM to serve, as an orchestrator or the configuration file describes it.
struct cell_specification {
  /// 1 to 128 of `A-Z a-z 0-9 . _ : -`, like every id; unique on this host.
  std::string cell_id;
  /// Which run of the cell this is; names its chain of events.
  std::string run_id;
  /// Firecracker's `uds_path` of the cell's vsock device, absolute.
  std::string vsock_uds_base;
  /// SHA-256 of the cell's specification, as the orchestrator spells it; opaque to us, at most 256 bytes.
  std::string spec_signature_hash;
  /// Silence strictly longer than this is reported. Upstream: DEFAULT_KEEPALIVE_WINDOW, 10 s.
  std::chrono::nanoseconds keepalive_window = std::chrono::seconds{10};
  /// The uid whose connections are accepted (`SO_PEERCRED`); nothing: any that the socket's mode lets in.
  std::optional<std::uint32_t> expected_uid;
  /// Default: chosen here; upstream names only `fail-cell`, for hardened use.
  agent_failure_policy on_agent_failure = agent_failure_policy::report;
  cell_probes probes{};

  bool operator==(const cell_specification&) const = default;

  std::string socket_path() const { return telemetry_socket_of(vsock_uds_base); }
};

}  // namespace cellos
