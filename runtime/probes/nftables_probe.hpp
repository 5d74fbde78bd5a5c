#pragma once

#include <memory>
#include <string>

#include "runtime/probes/nft_messages.hpp"
#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/shared_source.hpp"

namespace cellos {

using nft_source = shared_source<nft_ruleset>;

/// Counters of a network namespace, for all cells that have their table in it.
std::shared_ptr<nft_source> counters_of(const std::string& namespace_path,
                                        const privileged_reads_ptr& by = own_reads());

/// `host.nftables`: the counters of the cell's table. `io` where there is no such table.
class nftables_probe final : public probe {
 public:
  /// `namespace_path` as `counters` was made with. `attempts_counter`: the counter in it that counts what the cell
  /// tries to connect; readings name it, for whoever compares them. Empty: none does.
  nftables_probe(std::shared_ptr<nft_source> counters, const std::string& namespace_path, nft_table_name table,
                 const std::string& attempts_counter = {});

  host_probe source() const override { return host_probe::nftables; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  std::shared_ptr<nft_source> counters_;
  nft_table_name table_;
  std::string inputs_;
};

}  // namespace cellos
