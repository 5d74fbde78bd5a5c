#pragma once

#include <sys/un.h>

#include <cstddef>

namespace cellos {

/// Bytes of a Unix socket's path that the kernel takes; one more is the final NUL's.
inline constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace cellos
