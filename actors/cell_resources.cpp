#include "actors/cell_resources.hpp"

#include <algorithm>
#include <utility>

namespace cellos {

cell_resources_ptr make_cell_resources(const std::string& host_id, cell_specification specification) {
  auto cell = std::make_shared<cell_resources>();
  cell->run = std::make_shared<const host_stamp>(
      host_stamp{host_id, specification.cell_id, specification.run_id, specification.spec_signature_hash});
  cell->specification = std::move(specification);
  return cell;
}

std::optional<recovered_run> take_recovered(std::vector<recovered_run>& recovered, const host_stamp& run) {
  const auto left = std::find_if(recovered.begin(), recovered.end(),
                                 [&](const recovered_run& open) { return open.attribution == run; });
  if (left == recovered.end()) return std::nullopt;
  std::optional<recovered_run> taken{std::move(*left)};
  recovered.erase(left);
  return taken;
}

}  // namespace cellos
