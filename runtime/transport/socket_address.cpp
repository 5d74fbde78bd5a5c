#include "runtime/transport/socket_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace cellos {
namespace {

struct list_deleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

/// Those who connect while others are accepted wait here.
constexpr int backlog = 1024;

}  // namespace

std::uint16_t socket_address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&bytes)->sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_port);
}

bool socket_address::is_loopback() const {
  if (family() == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(&bytes)->sin_addr.s_addr) >> 24 == 127;
  }
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_addr);
}

std::string socket_address::text() const {
  char host[INET6_ADDRSTRLEN] = "";
  const void* address = family() == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&bytes)->sin_addr)
                            : &reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_addr;
  ::inet_ntop(family(), address, host, sizeof host);
  return place_text(host, port());
}

std::string place_text(std::string_view host, std::uint16_t port) {
  std::string text{host};
  if (host.find(':') != std::string_view::npos) text = "[" + text + "]";
  return text + ":" + std::to_string(port);
}

std::variant<std::vector<socket_address>, std::string> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error);
  const std::unique_ptr<addrinfo, list_deleter> owned{list};
  std::vector<socket_address> found;
  for (const auto* next = list; next != nullptr; next = next->ai_next) {
    if (next->ai_family != AF_INET && next->ai_family != AF_INET6) continue;
    auto& address = found.emplace_back();
    std::memcpy(&address.bytes, next->ai_addr, next->ai_addrlen);
    address.size = next->ai_addrlen;
  }
  if (found.empty()) return "it has no internet address";
  return found;
}

socket_address address_of(int fd) {
  socket_address address;
  address.size = sizeof address.bytes;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.bytes), &address.size);
  return address;
}

std::variant<file_descriptor, std::string> listen_on(const socket_address& address) {
  file_descriptor socket{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int on = 1;
  // A restart must not wait for connections of the former process to be forgotten.
  if (socket && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::bind(socket.get(), address.get(), address.size) == 0 && ::listen(socket.get(), backlog) == 0) {
    return socket;
  }
  return address.text() + ": cannot listen: " + std::generic_category().message(errno) +
         "; name an address of this machine and a port that nobody else has";
}

}  // namespace cellos
