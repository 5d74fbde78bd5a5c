#pragma once

#include <string>

#include "messages/telemetry_errc.hpp"

namespace cellos {

/// Why a socket could not be bound, for a person: names the path, the reason and what to do.
struct bind_refusal {
  telemetry_errc code = telemetry_errc::bind_failed;
  std::string explanation;
  /// The path is another cell's, or another of the daemon's own sockets', by this or another name.
  bool belongs_to_another = false;
};

}  // namespace cellos
