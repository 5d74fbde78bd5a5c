#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// An internet address with its port.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  int family() const { return bytes.ss_family; }
  std::uint16_t port() const;
  bool is_loopback() const;
  /// `192.0.2.1:7443`, `[2001:db8::1]:7443`.
  std::string text() const;
};

/// As people write a host and a port together.
std::string place_text(std::string_view host, std::uint16_t port);

/// Where that host is; never empty. The alternative is what the resolver says. Blocks for as long as the resolver does,
/// which is not at all for what is an address already.
std::variant<std::vector<socket_address>, std::string> resolve(const std::string& host, std::uint16_t port);

/// The port that the system chose, or that was asked for.
socket_address address_of(int fd);

/// Listens there. The alternative says where, why not, and what to do.
std::variant<file_descriptor, std::string> listen_on(const socket_address& address);

}  // namespace cellos
