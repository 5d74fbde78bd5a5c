#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/host_probe.hpp"
#include "runtime/configuration/readers.hpp"

/// Values of `[probes]`, and what a `[[cell]]` says of its probes.
namespace cellos::settings {

/// An array of `process` and `cgroup`, also empty.
reader probes_into(std::set<host_probe>& target);
reader probes_into(std::optional<std::set<host_probe>>& target);

/// A program's absolute path, and its arguments: at most 32 of them.
reader program_into(std::optional<std::vector<std::string>>& target);

/// As the kernel has it: 1 to 15 bytes without slashes and spaces.
std::optional<complaint> interface_name(std::string_view text);
/// Of a control group, from the root of its hierarchy on: `/firecracker/cell-1`. At most 4096 bytes, without `..`.
std::optional<complaint> cgroup_path(std::string_view text);
/// An absolute path of what is no directory.
std::optional<complaint> source_path(std::string_view text);
/// `FAMILY NAME`.
std::optional<complaint> nft_table(std::string_view text);

}  // namespace cellos::settings
