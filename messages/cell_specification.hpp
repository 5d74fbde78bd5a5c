#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cellos {

/// What happens to a cell whose actors cannot be kept alive.
enum class agent_failure_policy : std::uint8_t {
  /// Say so and go on without the failed part.
  report,
  /// Retire the cell loudly.
  fail_cell,
};

/// What an orchestrator says of a cell when it asks for telemetry.
struct cell_specification {
  std::string cell_id;
  std::string run_id;
  /// Firecracker's `uds_path`; we bind `<vsock_uds_base>_9001`.
  std::string vsock_uds_base;
  std::string spec_signature_hash;
  /// Upstream: DEFAULT_KEEPALIVE_WINDOW, 10 s.
  std::chrono::nanoseconds keepalive_window = std::chrono::seconds{10};
  /// Peer uid every connection must have; nothing = any.
  std::optional<std::uint32_t> expected_uid;
  agent_failure_policy on_agent_failure = agent_failure_policy::report;

  bool operator==(const cell_specification&) const = default;

  std::string socket_path() const;
};

}  // namespace cellos
