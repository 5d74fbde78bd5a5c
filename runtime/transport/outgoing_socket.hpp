#pragma once

#include <string>
#include <variant>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/transport/socket_address.hpp"

namespace cellos {

/// What came of waiting for a socket.
enum class awaited { ready, late, stopped };

/// Until the socket is ready for `events` of poll(2), or the time has come, or `stop` becomes readable.
awaited await_socket(int socket, short events, int stop, monotonic_time until);

/// Connects to whichever of the addresses answers first: each has a quarter of a second before the next is tried beside
/// it. The socket never blocks. The alternative says why there is none.
std::variant<file_descriptor, std::string> connect_to_any(const std::vector<socket_address>& addresses, int stop,
                                                          monotonic_time until);

/// As resolve(), but not for longer. A resolver that hangs is left to itself.
std::variant<std::vector<socket_address>, std::string> resolve_until(const std::string& host, std::uint16_t port,
                                                                     monotonic_time until);

}  // namespace cellos
