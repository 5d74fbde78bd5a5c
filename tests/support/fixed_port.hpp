#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <random>
#include <stdexcept>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// A port of the loopback that nobody listens on, and that the kernel gives no outgoing connection: whoever is killed
/// and started again can have it again.
inline std::uint16_t fixed_port() {
  constexpr std::uint16_t lowest = 15'000;
  constexpr std::uint16_t ports = 16'000;
  std::random_device random;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(lowest + random() % ports);
    const file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return port;
  }
  throw std::runtime_error{"no port is free"};
}

}  // namespace cellos::test
