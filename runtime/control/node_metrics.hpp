#pragma once

#include <cstddef>

#include "actors/event_counts.hpp"
#include "runtime/control/exposition.hpp"
#include "runtime/control/node_board.hpp"

namespace cellos {

/// What a daemon counts as a node. The families are there whatever it does, with series only for what it does; of hosts
/// at most `hosts_with_series` have series of their own, those that lag most.
void write_node_metrics(exposition& out, const node_board& board, const event_counts& seen,
                        std::size_t hosts_with_series);

}  // namespace cellos
