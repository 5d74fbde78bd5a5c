#include "tests/bench/support/ingest_cells.hpp"

#include <string>

namespace cellos::bench {

std::vector<cell_specification> cells_in(const std::filesystem::path& home, std::size_t count) {
  std::vector<cell_specification> cells(count);
  for (std::size_t i = 0; i < count; ++i) {
    cell_specification& cell = cells[i];
    cell.cell_id = "cell-" + std::to_string(i + 1);
    cell.run_id = "run-1";
    cell.vsock_uds_base = home / cell.cell_id;
    cell.spec_signature_hash = "sha256:" + std::string(64, 'a');
  }
  return cells;
}

}  // namespace cellos::bench
