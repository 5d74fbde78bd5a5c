#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "messages/bind_refusal.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/socket_calls.hpp"
#include "runtime/os/socket_place.hpp"

namespace cellos {

/// Who may connect to a Unix socket, and what its settings are called when it cannot be made.
struct socket_access {
  /// Nothing: this user, its group.
  std::optional<uid_t> owner;
  std::optional<gid_t> group;
  mode_t mode = 0600;
  std::string_view path_key = "vsock_uds_base";
  std::string owner_key;
  /// Who has the path, for whoever wants it too; `path_key` if empty.
  std::string holder;
};

/// What is where a socket's file was made.
enum class socket_file : std::uint8_t { in_place, gone, replaced, unknown };

/// A bound and listening Unix socket and the file it made.
class unix_listener {
 public:
  /// Null descriptor when refused; then `refusal` says why.
  struct outcome;

  /// Replaces a stale socket file; refuses a live socket, anything that is not a socket, and symbolic links.
  static outcome bind(const std::string& path, const socket_access& access, socket_calls& calls = real_socket_calls());

  unix_listener() = default;
  unix_listener(unix_listener&& other) noexcept { *this = std::move(other); }
  unix_listener& operator=(unix_listener&& other) noexcept {
    remove_file();
    calls_ = other.calls_;
    listening_ = std::move(other.listening_);
    path_ = std::move(other.path_);
    holder_ = std::move(other.holder_);
    place_ = std::move(other.place_);
    device_ = other.device_;
    inode_ = other.inode_;
    file_is_there_ = other.file_is_there_.exchange(false);
    return *this;
  }
  ~unix_listener() { remove_file(); }

  int fd() const { return listening_.get(); }
  explicit operator bool() const { return static_cast<bool>(listening_); }

  /// No further connection is accepted; those waiting in the backlog are reset.
  void close() { listening_.reset(); }
  /// Removes the file if it is still the one this socket made. Any thread may call it.
  void remove_file();
  /// The file is gone or another's, and its path is another socket's by now.
  void forget_file();
  /// Whether the path still leads to this socket. While the socket is open its file's number is nobody else's.
  socket_file look() const;

 private:
  std::string bind_at(const socket_place& place, const socket_access& access);
  bool is_own(const struct stat& there) const {
    return S_ISSOCK(there.st_mode) && there.st_dev == device_ && there.st_ino == inode_;
  }
  void remove_own_file(const socket_place& place) const;

  socket_calls* calls_ = nullptr;
  file_descriptor listening_;
  std::string path_;
  std::string holder_;
  socket_identity place_;
  /// Identity of the file at `path_`.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::atomic<bool> file_is_there_{false};
};

struct unix_listener::outcome {
  unix_listener socket;
  bind_refusal refusal;
};

/// Uid of the process at the other end of a connected Unix socket, when the kernel knows it.
std::optional<std::uint32_t> peer_uid(int connection, socket_calls& calls = real_socket_calls());

}  // namespace cellos
