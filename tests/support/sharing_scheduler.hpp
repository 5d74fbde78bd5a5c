#pragma once

#include <caf/all.hpp>

namespace cellos::test {

/// CAF's own scheduler with one queue, in which ThreadSanitizer knows what happens before what.
struct sharing_scheduler : caf::actor_system_config {
  sharing_scheduler() { set("scheduler.policy", caf::atom("sharing")); }
};

}  // namespace cellos::test
