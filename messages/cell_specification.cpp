#include "messages/cell_specification.hpp"

#include "messages/wire_format.hpp"

namespace cellos {

std::string telemetry_socket_of(std::string_view vsock_uds_base) {
  return std::string{vsock_uds_base} + "_" + std::to_string(wire::vsock_telemetry_port);
}

}  // namespace cellos
