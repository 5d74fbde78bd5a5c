#pragma once

#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/probes/link_messages.hpp"
#include "runtime/probes/privileged_reads.hpp"

namespace cellos {

/// All links of a network namespace, in one dump; of this process's own if the path is empty. Needs nothing there, and
/// CAP_SYS_ADMIN for another one (see in_network_namespace). Holds nothing open behind: a namespace can go.
probe_result<link_table> read_links(const std::string& namespace_path, monotonic_time deadline,
                                    const privileged_reads_ptr& by = own_reads());

}  // namespace cellos
