#include "runtime/configuration/cell_rules.hpp"

namespace cellos::settings {

std::vector<cell_complaint> complaints_about(const cell_specification& cell) {
  const cell_probes& probes = cell.probes;
  std::vector<cell_complaint> found;
  const auto demand = [&found](bool holds, std::string_view key, const char* problem, const char* remedy) {
    if (!holds) found.push_back({key, problem, remedy});
  };
  demand(!probes.connection_counter || probes.nft_table, "connection_counter", "names a counter of no table",
         "write nft_table beside it");
  demand(!probes.network_namespace || probes.nft_table || probes.tap, "network_namespace", "is of nothing that is read",
         "write tap or nft_table beside it");
  demand(!probes.fc_api_socket || probes.fc_metrics, "fc_api_socket", "is asked for metrics that are not read",
         "write fc_metrics beside it");
  const bool counts_attempts = probes.connection_counter.has_value();
  demand(!probes.terms.attempts_threshold || counts_attempts, "attempts_threshold",
         "is of attempts that nothing counts", "write nft_table and connection_counter beside it");
  demand(!probes.terms.attempts_background || counts_attempts, "attempts_background",
         "is of attempts that nothing counts", "write nft_table and connection_counter beside it");
  demand(!probes.terms.packets_threshold || probes.tap, "packets_threshold", "is of packets that nothing counts",
         "write tap beside it");
  demand(!probes.terms.packets_background || probes.tap, "packets_background", "is of packets that nothing counts",
         "write tap beside it");
  demand(!probes.terms.declarations_threshold || probes.tap || counts_attempts, "declarations_threshold",
         "is compared with no traffic", "write tap, or nft_table and connection_counter, beside it");
  return found;
}

}  // namespace cellos::settings
