#pragma once

#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/probes/nft_messages.hpp"
#include "runtime/probes/privileged_reads.hpp"

namespace cellos {

/// All counters of all tables of a network namespace, of this process's own if the path is empty: three dumps of the
/// kernel's, whatever the number of tables. Needs CAP_NET_ADMIN there, and CAP_SYS_ADMIN for another namespace (see
/// in_network_namespace).
///
/// Not by libnftables: its listing takes a time that grows with the square of the tables (ADR 18), it ends a
/// process that has no descriptor left, and it knows no deadline.
probe_result<nft_ruleset> read_nft_ruleset(const std::string& namespace_path, monotonic_time deadline,
                                           const privileged_reads_ptr& by = own_reads());

}  // namespace cellos
