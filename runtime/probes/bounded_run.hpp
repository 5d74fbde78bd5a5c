#pragma once

#include <string>

#include "messages/host_probe.hpp"
#include "messages/instants.hpp"
#include "runtime/probes/exec_probe.hpp"

namespace cellos {

/// Runs the program to its end, or until the deadline; what it wrote to its standard output, if it ended with 0.
/// Nothing of its process group is left behind.
probe_result<std::string> run_bounded(const exec_probe_settings& settings, monotonic_time deadline);

}  // namespace cellos
