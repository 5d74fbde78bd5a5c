#pragma once

#include "runtime/os/capabilities.hpp"
#include "runtime/os/exit_code.hpp"

namespace cellos {

/// What probes need: CAP_NET_ADMIN for nftables, CAP_SYS_ADMIN for another network namespace, CAP_SYS_PTRACE for how
/// another user's process ended.
capability_set probe_capabilities();

/// The whole life of the privileged reader, which is started by privileged_reader::start: two processes, of which one
/// answers, and the other starts it anew when it ends or does not answer. Ends with the daemon. First of all in main.
exit_code serve_privileged_reads();

/// The one that answers: does so until it is killed, or its work is in doubt. `own_namespace`: where it goes back to.
[[noreturn]] void answer_privileged_reads(int own_namespace);

}  // namespace cellos
