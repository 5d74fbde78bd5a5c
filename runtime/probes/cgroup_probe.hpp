#pragma once

#include <optional>
#include <string>

#include "runtime/probes/cgroup_files.hpp"
#include "runtime/probes/probe.hpp"
#include "runtime/probes/vmm_process.hpp"

namespace cellos {

/// Where the hierarchies of control groups are mounted. Configurable: what a kernel has on version 1 it lacks on
/// version 2.
struct cgroup_roots {
  std::string v2 = "/sys/fs/cgroup";
  /// One directory for each controller below it: `memory`, `pids`, `cpuacct`.
  std::string v1 = "/sys/fs/cgroup";
};

/// The control group of a cell: a leaf of version 2, or one of each controller of version 1; Firecracker's jailer can
/// be asked for either. Paths are relative to the roots.
struct cgroup_place {
  std::optional<std::string> v2;
  std::optional<std::string> v1_memory;
  std::optional<std::string> v1_pids;
  std::optional<std::string> v1_cpuacct;
  bool operator==(const cgroup_place&) const = default;
};

/// Where the process is: in each hierarchy where it is not in the root, which would be everybody's.
cgroup_place place_of(const cgroup_membership& membership);
/// By the process's own entry in /proc. `io` where it is in no group of its own, or has ended.
probe_result<cgroup_place> place_of(const vmm_process& process);

/// `host.cgroup`: what the kernel counts for a cell. Needs no privilege where the hierarchy is mounted as usual.
///
/// A file that is not there, because its controller is not enabled, is left out; a group that is not there is `io`.
class cgroup_probe final : public probe {
 public:
  cgroup_probe(cgroup_roots roots, cgroup_place place);

  host_probe source() const override { return host_probe::cgroup; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  cgroup_roots roots_;
  cgroup_place place_;
  std::string inputs_;
};

/// The same of a group that somebody named, from the root of each hierarchy on: of those that have it.
class named_cgroup_probe final : public probe {
 public:
  named_cgroup_probe(cgroup_roots roots, const std::string& path);

  host_probe source() const override { return host_probe::cgroup; }
  probe_result<probe_reading> read(const probe_context& context) override;

 private:
  const cgroup_roots roots_;
  /// Without the slash it begins with.
  const std::string path_;
};

}  // namespace cellos
