#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "messages/cell_specification.hpp"

namespace cellos::settings {

/// A key of a cell that does not go with its others.
struct cell_complaint {
  std::string_view key;
  /// Completes a sentence that begins with the key.
  std::string problem;
  std::string remedy;
};

/// What no key of a cell shows alone, for whoever describes one: the file and the control API are held to the same.
std::vector<cell_complaint> complaints_about(const cell_specification& cell);

}  // namespace cellos::settings
