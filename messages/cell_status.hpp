#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
};

}  // namespace cellos
