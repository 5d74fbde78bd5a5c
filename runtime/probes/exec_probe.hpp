#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "runtime/probes/probe.hpp"

namespace cellos {

/// A program of the administrator's, for what no built-in probe knows.
struct exec_probe_settings {
  /// Absolute; no shell, nothing is searched for.
  std::string program;
  std::vector<std::string> arguments;
  /// After which it is killed, and its process group with it. Never later than the reading's own deadline.
  std::chrono::nanoseconds timeout = std::chrono::seconds{1};
  /// Of its standard output; more is `malformed_source`.
  std::size_t output_bytes = std::size_t{64} << 10;
  /// Limits of the process: CPU seconds, bytes of address space, descriptors.
  rlim_t cpu_seconds = 5;
  rlim_t memory_bytes = rlim_t{512} << 20;
  rlim_t descriptors = 32;
};

/// `host.exec`: one JSON object on the standard output of a program. Runs it with nothing of ours: no environment but
/// PATH and LANG, no descriptors, no input, no way to new privileges, in a process group that is killed when it ends.
/// What leaves that group on purpose is only held by its limits, and by the control group of the daemon.
///
/// A program that does not run, fails, or is ended by a signal is `io`.
class exec_probe final : public probe {
 public:
  explicit exec_probe(exec_probe_settings settings);

  host_probe source() const override { return host_probe::exec; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  exec_probe_settings settings_;
  std::string inputs_;
};

}  // namespace cellos
