#include "runtime/os/socket_place.hpp"

#include <fcntl.h>

#include <cstring>
#include <utility>

#include "runtime/os/socket_path.hpp"

namespace cellos {

namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, slash + 1);
}

}  // namespace

bool fill_address(sockaddr_un& address, const std::string& path) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() > longest_socket_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

std::optional<socket_place> socket_place::open(const std::string& path, socket_calls& calls) {
  socket_place place{path, calls};
  place.directory_ = file_descriptor{calls.open_directory(directory_of(path).c_str())};
  struct stat there {};
  if (!place.directory_ || ::fstat(place.directory_.get(), &there) != 0) return std::nullopt;
  place.identity_ = {there.st_dev, there.st_ino, path.substr(path.rfind('/') + 1)};
  return place;
}

std::optional<sockaddr_un> socket_place::address() const {
  sockaddr_un found;
  const std::string opened = "/proc/self/fd/" + std::to_string(directory_.get()) + '/' + identity_.name;
  if (fill_address(found, opened) || fill_address(found, path_)) return found;
  return std::nullopt;
}

file_descriptor socket_place::open_file() const {
  return file_descriptor{::openat(directory_.get(), identity_.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
}

}  // namespace cellos
