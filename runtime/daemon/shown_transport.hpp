#pragma once

#include <optional>
#include <string>

#include "messages/instants.hpp"
#include "messages/node_status.hpp"
#include "runtime/transport/transport_counts.hpp"

namespace cellos {

/// What one side of this node's transport has done, for metrics.
transport_status transport_shown(std::string role, const transport_account& account);

/// Nothing where connections are plain.
std::optional<certificate_status> certificate_shown(std::string role, std::string file,
                                                    std::optional<wall_time> expires);

}  // namespace cellos
