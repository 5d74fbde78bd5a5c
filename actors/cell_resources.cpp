#include "actors/cell_resources.hpp"

#include <utility>

namespace cellos {

cell_resources_ptr make_cell_resources(const std::string& host_id, cell_specification specification) {
  auto cell = std::make_shared<cell_resources>();
  cell->run = std::make_shared<const host_stamp>(
      host_stamp{host_id, specification.cell_id, specification.run_id, specification.spec_signature_hash});
  cell->specification = std::move(specification);
  return cell;
}

}  // namespace cellos
