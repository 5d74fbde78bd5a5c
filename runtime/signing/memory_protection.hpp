#pragma once

namespace cellos {

/// Keeps this process's memory to itself: no core dump, no debugger and no /proc/PID/mem for its own user, and whatever
/// OpenSSL frees is wiped, since it copies keys where we do not see it. Before any use of OpenSSL and any thread.
///
/// /proc/PID belongs to root from then on; the process itself still reads its own.
void protect_memory();

}  // namespace cellos
