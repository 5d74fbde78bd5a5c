#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// What a virtual machine is, and what its guest does.
struct virtual_machine_settings {
  /// The host's side of its telemetry port, which has to be bound.
  std::string telemetry_socket{};
  /// A tap and the network namespace that has it; empty: no network.
  std::string tap{};
  std::string network_namespace{};
  /// A script of busybox's shell. The telemetry port is /dev/vport0p1, the network eth0, `files` are in /scenario. What
  /// it echoes is the process's stderr.
  std::string script{};
  std::map<std::string, std::vector<std::uint8_t>> files{};
};

/// A real guest under QEMU's software emulation: whoever connects its telemetry socket is a real VMM, with a kernel in
/// it. Killed with the object.
class virtual_machine : public process {
 public:
  explicit virtual_machine(const virtual_machine_settings& settings)
      : virtual_machine(settings, std::make_unique<temporary_directory>()) {}

  /// Why there can be none here; nothing if there can.
  static std::optional<std::string> missing();

 private:
  virtual_machine(const virtual_machine_settings& settings, std::unique_ptr<temporary_directory> place);

  std::unique_ptr<temporary_directory> place_;
};

}  // namespace cellos::test
