#pragma once

#include <memory>
#include <string>

#include "actors/events.hpp"
#include "runtime/configuration/configuration.hpp"
#include "runtime/probes/privileged_reader.hpp"
#include "runtime/probes/privileged_reads.hpp"

namespace cellos {

/// Who has the capabilities that probes need.
struct probe_privileges {
  /// With what probes read: the reader, or what this process has itself.
  privileged_reads_ptr reads = own_reads();
  /// Null where there is none. Then this process has none of its capabilities.
  std::shared_ptr<privileged_reader> reader;
  /// Why the daemon cannot start as it is configured; or empty.
  std::string refusal;
  /// Why there is no reader although there is to be one where that can be; or empty.
  std::string shortfall;
};

/// Starts the privileged reader where `[probes] privileged_reader` has one, and then takes its capabilities from this
/// process, for good, with no_new_privs. Before any thread exists: each has capabilities of its own.
probe_privileges separate_probe_privileges(const configuration& settings);

/// Says what was done before there was anybody to say it to, and what becomes of the reader from now on; why the daemon
/// cannot start, or nothing.
std::string report_to(operator_events& events, const probe_privileges& of);
void report_to_nobody(const probe_privileges& of);

}  // namespace cellos
