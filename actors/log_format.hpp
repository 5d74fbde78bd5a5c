#pragma once

#include <cstdint>

namespace cellos {

/// Of the operator's log: one line an event, for people, or one JSON object a line.
enum class log_format : std::uint8_t { text, json };

}  // namespace cellos
