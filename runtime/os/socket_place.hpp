#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include <compare>
#include <optional>
#include <string>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/socket_calls.hpp"

namespace cellos {

/// What a socket path names, however it is spelled: a name in a directory.
struct socket_identity {
  dev_t device = 0;
  ino_t directory = 0;
  std::string name;

  auto operator<=>(const socket_identity&) const = default;
};

/// A socket path whose directory is held open: whatever becomes of the way that led there, all that is done by way of
/// this object happens in that directory.
class socket_place {
 public:
  /// Nothing, and errno, if the directory cannot be opened.
  static std::optional<socket_place> open(const std::string& path, socket_calls& calls);

  const socket_identity& identity() const { return identity_; }
  /// Where bind and connect find the name; one that leads by way of the opened directory, if it is not too long for
  /// that. Nothing if the path does not fit either.
  std::optional<sockaddr_un> address() const;

  // -1 and errno on failure.
  int lstat(struct stat& there) const { return calls_->lstat(directory_.get(), identity_.name.c_str(), there); }
  int unlink() const { return calls_->unlink(directory_.get(), identity_.name.c_str()); }
  /// A descriptor that names the file and opens nothing.
  file_descriptor open_file() const;

 private:
  socket_place(std::string path, socket_calls& calls) : calls_(&calls), path_(std::move(path)) {}

  socket_calls* calls_;
  std::string path_;
  file_descriptor directory_;
  socket_identity identity_;
};

/// False if the path does not fit.
bool fill_address(sockaddr_un& address, const std::string& path);

}  // namespace cellos
