#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/host_probe.hpp"
#include "messages/witness_terms.hpp"

namespace cellos {

/// What the host is to read of a cell beside its VMM. Whatever is named here is read, and put on record.
struct cell_probes {
  /// Of `host.process` and `host.cgroup`, which need to know nothing more: those whose readings are put on record.
  /// Nothing: as the host does by default.
  std::optional<std::set<host_probe>> recorded{};
  /// The cell's interface on the host.
  std::optional<std::string> tap{};
  /// `FAMILY NAME` of the cell's nftables table.
  std::optional<std::string> nft_table{};
  /// The counter in it that counts the cell's attempts to connect.
  std::optional<std::string> connection_counter{};
  /// Of `tap` and `nft_table`; nothing: the daemon's own.
  std::optional<std::string> network_namespace{};
  /// The file or FIFO of Firecracker's `PUT /metrics`, absolute.
  std::optional<std::string> fc_metrics{};
  /// The socket of Firecracker's API, absolute: before a reading of `fc_metrics`, Firecracker is asked for new ones
  /// (`FlushMetrics`). Only with `fc_metrics`.
  std::optional<std::string> fc_api_socket{};
  /// A program and its arguments.
  std::optional<std::vector<std::string>> exec{};
  /// Its control group, from the root of the hierarchy on, as `/proc/PID/cgroup` has it; nothing: its VMM's.
  std::optional<std::string> cgroup{};
  /// By what it is compared with what it declares, where it is not as its host's others.
  witness_terms terms{};

  bool operator==(const cell_probes&) const = default;
};

}  // namespace cellos
