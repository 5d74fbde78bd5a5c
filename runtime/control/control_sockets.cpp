#include "runtime/control/control_sockets.hpp"

#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace cellos {

namespace {

constexpr int http_backlog = 64;

std::string reason(int error) { return std::error_code{error, std::system_category()}.message(); }

std::optional<std::uint32_t> as_number(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<uid_t> user_of(const std::string& name) {
  if (const auto number = as_number(name)) return number;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16 * 1024);
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional<uid_t>{found->pw_uid};
}

std::optional<gid_t> group_of(const std::string& name) {
  if (const auto number = as_number(name)) return number;
  group entry{};
  group* found = nullptr;
  std::vector<char> buffer(64 * 1024);
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional<gid_t>{found->gr_gid};
}

struct address_list {
  addrinfo* first = nullptr;
  address_list() = default;
  address_list(const address_list&) = delete;
  address_list& operator=(const address_list&) = delete;
  ~address_list() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
};

/// With the port the kernel chose, if it was left to it.
std::string address_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const std::string name{host.data()};
  return (name.find(':') == std::string::npos ? name : '[' + name + ']') + ':' + port.data();
}

struct listening {
  file_descriptor socket;
  std::string refusal;
};

listening listen_at(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const std::string port = address.substr(colon + 1);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  address_list found;
  if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found.first); failed != 0) {
    return {{}, address + ": " + ::gai_strerror(failed)};
  }
  const addrinfo& first = *found.first;
  file_descriptor made{::socket(first.ai_family, first.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int on = 1;
  if (!made || ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(made.get(), first.ai_addr, first.ai_addrlen) != 0 || ::listen(made.get(), http_backlog) != 0) {
    return {{}, address + ": " + reason(errno) + "; choose another [control] http_listen"};
  }
  return {std::move(made), {}};
}

}  // namespace

control_sockets::outcome control_sockets::bind(const control_configuration& settings) {
  outcome out;
  if (settings.socket) out.refusal = out.sockets.bind_socket(settings);
  if (out.refusal.empty() && settings.http_listen) {
    listening made = listen_at(*settings.http_listen);
    out.refusal = std::move(made.refusal);
    out.sockets.http_ = std::move(made.socket);
    if (out.sockets.http_) out.sockets.http_address_ = address_of(out.sockets.http_.get());
  }
  return out;
}

std::string control_sockets::bind_socket(const control_configuration& settings) {
  socket_access access;
  access.mode = settings.mode;
  access.path_key = "[control] socket";
  if (settings.owner) {
    access.owner = user_of(*settings.owner);
    if (!access.owner) return "[control] owner: there is no user " + *settings.owner;
    access.owner_key = "[control] owner " + *settings.owner;
  }
  if (settings.group) {
    access.group = group_of(*settings.group);
    if (!access.group) return "[control] group: there is no group " + *settings.group;
    access.owner_key += (access.owner_key.empty() ? "" : " and ") + ("[control] group " + *settings.group);
  }
  unix_listener::outcome bound = unix_listener::bind(settings.socket->string(), access);
  if (!bound.socket) return bound.refusal.explanation;
  control_ = std::make_unique<unix_listener>(std::move(bound.socket));
  return {};
}

}  // namespace cellos
