#pragma once

#include <functional>
#include <string>

#include "actors/host_supervisor.hpp"

/// How the HOST SUPERVISOR asks its cells how they stand. A cell that gives no answer in time is answered for: as it
/// was last seen, with the age of that.
namespace cellos {

using host_pointer = host_supervisor_actor::stateful_pointer<host_supervisor_state>;

/// The record of this very cell, if it is still there.
host_supervisor_state::cell_record* record_of(host_supervisor_state& state, const std::string& id,
                                              const cell_resources_ptr& cell);

/// Asks every cell; none is left out.
void collect_accounts(host_pointer self, std::function<void(host_accounts)> done);

/// Asks one.
caf::result<cell_status> ask_cell(host_pointer self, const std::string& id);

}  // namespace cellos
