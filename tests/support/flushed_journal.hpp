#pragma once

#include <system_error>

#include "actors/host_event_chain.hpp"
#include "actors/sink_journal.hpp"

namespace cellos::test {

/// All that is pending goes to the log, as a SINK and the HOST CHAIN bring it there.
inline std::error_code flush(sink_journal& journal, host_event_chain& host_chain) {
  while (true) {
    if (const auto refused = journal.flush()) return refused;
    if (!journal.for_host_chain()) return {};
    if (const auto refused = host_chain.append(*journal.for_host_chain())) return refused;
    journal.appended_by_host_chain();
  }
}

}  // namespace cellos::test
