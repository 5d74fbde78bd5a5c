#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/instants.hpp"

namespace cellos {

/// The same instant with `Z`, its fraction as written. Nothing if `text` is no RFC 3339 date and time in capitals.
std::optional<std::string> in_zulu(std::string_view text);

/// Nanoseconds are kept, finer ones cut off. Nothing if `text` is no RFC 3339 date and time between 1678 and 2261.
std::optional<wall_time> instant_of(std::string_view text);

}  // namespace cellos
