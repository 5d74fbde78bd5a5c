#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/host_sighting.hpp"
#include "messages/instants.hpp"
#include "messages/run_totals.hpp"

namespace cellos {

enum class cell_state : std::uint8_t { listening, connected, silenced };

constexpr std::string_view to_string(cell_state state) {
  switch (state) {
    case cell_state::listening: return "listening";
    case cell_state::connected: return "connected";
    case cell_state::silenced: return "silenced";
  }
  return "listening";
}

/// A cell as an operator sees it.
struct cell_status {
  std::string cell_id;
  std::string run_id;
  std::string chain;
  std::string socket_path;
  cell_state state{};
  run_totals totals;
  /// Receive time of the last accepted frame of this run.
  std::optional<wall_time> last_frame;
  std::uint64_t connections_refused = 0;
  std::uint32_t connections_open = 0;
  std::uint64_t bytes_received = 0;
  /// False while no guest finds the socket, because its file is gone or another's.
  bool socket_in_place = true;
  std::string spec_signature_hash;
  std::chrono::nanoseconds keepalive_window{};
  /// What the host saw of the cell last.
  host_sighting seen;
  /// How long until the agent's silence is reported if nothing more is accepted; nothing once this run's has been.
  std::optional<std::chrono::nanoseconds> silence_in;
  /// Of `totals`, what was on record before this daemon began: all zero unless it goes on with a predecessor's run.
  run_totals before;
  /// In the answer to an admission: whether that admission bound the cell, rather than found it bound.
  bool newly_admitted = false;
  /// How old this is, where the cell did not answer in time and was seen earlier; nothing in an answer of its own.
  std::optional<std::chrono::nanoseconds> stale_for{};

  /// The run's totals of this daemon alone.
  run_totals since_start() const { return totals - before; }
};

/// Every cell there is, and what was counted in runs that this daemon has ended. Taken together: no frame is in both,
/// or in neither.
struct host_accounts {
  std::vector<cell_status> cells;
  run_totals ended;
  std::uint64_t connections_refused_of_ended = 0;
  std::uint64_t bytes_received_of_ended = 0;
};

}  // namespace cellos
