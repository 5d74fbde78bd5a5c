#pragma once

#include "messages/cell_specification.hpp"
#include "runtime/configuration/configuration.hpp"

namespace cellos {

/// What the actors are reported a cell that a file or a document describes.
inline cell_specification specification_of(const cell_configuration& cell) {
  cell_specification specification;
  specification.cell_id = cell.id;
  specification.run_id = cell.run_id;
  specification.vsock_uds_base = cell.vsock_uds_base;
  specification.spec_signature_hash = cell.spec_signature_hash;
  specification.keepalive_window = cell.keepalive_window;
  specification.expected_uid = cell.expected_uid;
  specification.on_agent_failure = cell.on_agent_failure == cell_configuration::failure_policy::fail_cell
                                       ? agent_failure_policy::fail_cell
                                       : agent_failure_policy::report;
  return specification;
}

}  // namespace cellos
