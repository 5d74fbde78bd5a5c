#pragma once

#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/probes/nft_document.hpp"

namespace cellos {

/// All counters of all tables of a network namespace, in one listing; of this process's own if the path is empty.
/// Needs CAP_NET_ADMIN there, and CAP_SYS_ADMIN for another namespace (see in_network_namespace).
///
/// libnftables ends the process that has no descriptor left for it: whoever needs this process to live asks for it in
/// another one. It knows no deadline, either.
probe_result<nft_ruleset> read_nft_ruleset(const std::string& namespace_path);

}  // namespace cellos
