#include "runtime/socket_service/telemetry_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

/// Firecracker connects from its VMM thread: a full backlog can stall the whole microVM (DESIGN, contract 1). The
/// kernel caps it at net.core.somaxconn.
constexpr int backlog = 1024;
/// Only the owner may connect: this user, or the cell's expected uid, to whom the file is given.
constexpr mode_t mode_of_own = 0600;
/// Of a file that is given away, with our group: without capabilities, only so can whoever replaces us find out that
/// nobody listens there any more. Others of the group are refused by their uid.
constexpr mode_t mode_of_given = 0660;

std::string reason(int error) { return std::error_code{error, std::system_category()}.message(); }

bind_refusal refuse(const std::string& path, const std::string& why) {
  return {telemetry_errc::bind_failed, "bind_failed: " + escaped(path, 128) + ": " + why};
}

/// False if the path does not fit.
bool fill_address(sockaddr_un& address, const std::string& path) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

bool call_with_address(int (*call)(int, const sockaddr*, socklen_t), int fd, const sockaddr_un& address) {
  return call(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

file_descriptor new_socket() {
  return file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

/// Whether somebody listens there. A full backlog (EAGAIN) means somebody does.
bool is_live(const sockaddr_un& address) {
  const file_descriptor probe = new_socket();
  return !probe || call_with_address(::connect, probe.get(), address) || errno != ECONNREFUSED;
}

/// Clears the way: empty if nothing is at the path any more, else why it must stay.
std::string clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return reason(errno) + "; check the path";
  }
  if (S_ISLNK(there.st_mode)) return "is a symbolic link; remove it, or choose another vsock_uds_base";
  if (!S_ISSOCK(there.st_mode)) return "exists and is not a socket; remove it, or choose another vsock_uds_base";
  if (is_live(address)) return "another process listens there; stop it, or choose another vsock_uds_base";
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return "stale socket file cannot be removed: " + reason(errno);
  return {};
}

std::string bind_reason(int error) {
  if (error == ENOENT) return "its directory does not exist; create it before the cell is admitted";
  if (error == EACCES) return "permission denied; the daemon must be able to write to its directory";
  if (error == EROFS) return "its file system is read-only; under systemd, ReadWritePaths= must name its directory";
  return reason(error);
}

/// Lets the expected peer connect. The directory may be the peer's, so the path is not trusted twice: `made` is the
/// file we bound, and only that is given away. Empty on success.
std::string give_to_peer(const std::string& path, const struct stat& made, std::optional<std::uint32_t> expected_uid) {
  if (!expected_uid || *expected_uid == ::geteuid()) return {};
  const file_descriptor file{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  struct stat there {};
  if (!file || ::fstat(file.get(), &there) != 0 || there.st_dev != made.st_dev || there.st_ino != made.st_ino) {
    return "was replaced while being bound; see who else writes to its directory";
  }
  // While it is ours; and by this detour, because chmod takes no O_PATH descriptor.
  const std::string same_file = "/proc/self/fd/" + std::to_string(file.get());
  if (::chmod(same_file.c_str(), mode_of_given) != 0) return "cannot set its mode: " + reason(errno);
  if (::fchownat(file.get(), "", *expected_uid, ::getegid(), AT_EMPTY_PATH) == 0) return {};
  return "cannot give it to expected_uid " + std::to_string(*expected_uid) + ": " + reason(errno) +
         "; grant CAP_CHOWN, or remove expected_uid";
}

}  // namespace

telemetry_socket::outcome telemetry_socket::bind(const cell_specification& cell) {
  const std::string path = cell.socket_path();
  sockaddr_un address;
  if (!fill_address(address, path)) {
    return {{}, refuse(path, "longer than a socket path may be (107 bytes); choose a shorter vsock_uds_base")};
  }
  if (std::string why = clear_path(path, address); !why.empty()) return {{}, refuse(path, why)};

  telemetry_socket bound;
  bound.listening_ = new_socket();
  if (!bound.listening_) return {{}, refuse(path, "no socket: " + reason(errno))};
  // The file takes its mode from the socket: there is no moment at which others may connect.
  if (::fchmod(bound.fd(), mode_of_own) != 0) return {{}, refuse(path, "cannot set its mode: " + reason(errno))};
  if (!call_with_address(::bind, bound.fd(), address)) return {{}, refuse(path, bind_reason(errno))};

  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return {{}, refuse(path, "vanished while being bound: " + reason(errno))};
  bound.path_ = path;
  bound.device_ = made.st_dev;
  bound.inode_ = made.st_ino;
  bound.file_is_there_ = true;
  // Before listen, so that nobody connects before the file is its peer's.
  if (std::string why = give_to_peer(path, made, cell.expected_uid); !why.empty()) return {{}, refuse(path, why)};
  if (::listen(bound.fd(), backlog) != 0) return {{}, refuse(path, "cannot listen: " + reason(errno))};
  return {std::move(bound), {telemetry_errc::none, {}}};
}

void telemetry_socket::remove_file() {
  if (!file_is_there_.exchange(false)) return;
  struct stat there {};
  const bool ours = ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
}

std::optional<std::uint32_t> peer_uid(int connection) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

}  // namespace cellos
