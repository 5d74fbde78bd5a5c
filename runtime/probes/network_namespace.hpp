#pragma once

#include <functional>
#include <optional>
#include <string>

#include "messages/host_probe.hpp"
#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// Opens what this path names, if it is a namespace, and has no effect on it if it is anything else.
probe_result<file_descriptor> open_network_namespace(const std::string& path);

/// Does it in the network namespace that this path names (`/run/netns/NAME`, `/proc/PID/ns/net`), in a thread that goes
/// with it; in this process's own namespace, at once, if the path is empty. Another one needs CAP_SYS_ADMIN.
///
/// What `work` opens there keeps the namespace, and all interfaces in it, for as long as it is open.
std::optional<probe_error> in_network_namespace(const std::string& path, const std::function<void()>& work);

}  // namespace cellos
