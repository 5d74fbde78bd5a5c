#pragma once

#include <string_view>

#include "messages/event_seal.hpp"

namespace cellos {

/// MATERIAL of a line that this daemon, or one before it, wrote with digests; `line` is without its newline. A line of
/// another form has the digest `no_event`, which no successor can have followed.
event_digest line_digest(std::string_view line);

}  // namespace cellos
