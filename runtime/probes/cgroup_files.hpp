#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What control groups' files say: cgroups(7), and cgroup-v2 in the kernel's documentation. Pure.
namespace cellos {

/// Lines of `KEY NUMBER`, in the file's order: `cgroup.events`, `cpu.stat`, `memory.events`, `memory.oom_control`.
/// Nothing of what has another form, or a key twice.
using flat_values = std::vector<std::pair<std::string, std::uint64_t>>;
std::optional<flat_values> parse_flat_values(std::string_view text);

/// One number: `memory.current`, `pids.current`.
std::optional<std::uint64_t> parse_single_value(std::string_view text);

/// One line of `cpu.pressure`: how much of the time was lost, in percent as the kernel writes it, and in microseconds.
struct pressure_line {
  std::string avg10;
  std::string avg60;
  std::string avg300;
  std::uint64_t total_us = 0;
};
struct pressure {
  /// Some of the tasks waited.
  std::optional<pressure_line> some;
  /// All of them did.
  std::optional<pressure_line> full;
};
std::optional<pressure> parse_pressure(std::string_view text);

/// Which control groups a process is in, by /proc/PID/cgroup: `ID:CONTROLLERS:PATH`, without the path's first slash.
struct cgroup_membership {
  struct v1_hierarchy {
    /// `cpu,cpuacct`, or `name=systemd`.
    std::string controllers;
    std::string path;
  };
  std::vector<v1_hierarchy> v1;
  /// Nothing where there is no version 2.
  std::optional<std::string> v2;

  /// The path of the hierarchy that has this controller, or nothing.
  std::optional<std::string> v1_path(std::string_view controller) const;
};
/// Nothing of what has another form, or leads beyond the root of the hierarchy.
std::optional<cgroup_membership> parse_cgroup_membership(std::string_view text);

}  // namespace cellos
