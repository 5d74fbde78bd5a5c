#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "messages/wire_format.hpp"
#include "runtime/guest_sim/scenarios.hpp"
#include "runtime/os/exit_code.hpp"

namespace cellos::guest_sim {

struct simulation_options {
  std::string socket;
  const scenario* what = nullptr;
  /// 0: until stopped.
  std::uint64_t frames = 0;
  /// Frames a second; 0: as fast as the socket takes them.
  double rate = 0;
  std::uint64_t seed = 1;
  std::uint16_t content_version = wire::content_version_1_0;
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{5};
  /// Half of `frames` unless given.
  std::optional<std::uint64_t> silent_after;
  std::chrono::nanoseconds hold = std::chrono::seconds{15};
  bool resume = false;
  /// Reconnect without waiting until the host has read the connection before.
  bool impatient = false;
  bool quiet = false;
};

/// What to simulate, or how to exit at once: `--help`, `--list` and `--version` answer on `out`, mistakes on `err`.
/// `arguments` are without the program's name.
std::variant<simulation_options, exit_code> parse_command_line(std::span<const std::string> arguments,
                                                               std::ostream& out, std::ostream& err);

}  // namespace cellos::guest_sim
