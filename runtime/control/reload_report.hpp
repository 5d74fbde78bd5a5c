#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "runtime/configuration/configuration_error.hpp"

namespace cellos {

/// What came of reading the configuration again.
struct reload_report {
  /// If any, nothing was changed.
  std::vector<configuration_error> errors;
  std::size_t cells = 0;
  std::size_t refused = 0;
  /// Changed keys that wait for the next start.
  std::vector<std::string> restart_needed;
};

using reload_reply = std::function<void(const reload_report&)>;

}  // namespace cellos
