#include "messages/cell_specification.hpp"

#include "messages/wire_format.hpp"

namespace cellos {

std::string cell_specification::socket_path() const {
  return vsock_uds_base + "_" + std::to_string(wire::vsock_telemetry_port);
}

}  // namespace cellos
