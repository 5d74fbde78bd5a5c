#include "runtime/os/unix_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/os/claimed_places.hpp"
#include "runtime/os/passed_descriptors.hpp"

namespace cellos {

namespace {

/// Firecracker connects from its VMM thread: a full backlog can stall the whole microVM. The kernel caps it at
/// net.core.somaxconn.
constexpr int backlog = 1024;
/// Only the owner may connect: this user, or whoever the file is given to.
constexpr mode_t owner_only = 0600;

constexpr const char* replaced = "was replaced while being bound; see who else writes to its directory";

std::string reason(int error) { return std::error_code{error, std::system_category()}.message(); }

bind_refusal refuse(const std::string& path, const std::string& why) {
  return {telemetry_errc::bind_failed, "bind_failed: " + escaped(path, 128) + ": " + why};
}

/// Whether somebody listens there. A full backlog (EAGAIN) means somebody does.
bool is_live(const file_descriptor& probe, const sockaddr_un& address) {
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno != ECONNREFUSED;
}

/// Clears the way: empty if nothing is at the path any more, else why it must stay.
std::string clear_path(const socket_place& place, const sockaddr_un& address, std::string_view key,
                       socket_calls& calls) {
  const std::string or_another = ", or choose another " + std::string{key};
  struct stat there {};
  if (place.lstat(there) != 0) {
    if (errno == ENOENT) return {};
    return reason(errno) + "; check the path";
  }
  if (S_ISLNK(there.st_mode)) return "is a symbolic link; remove it" + or_another;
  if (!S_ISSOCK(there.st_mode)) return "exists and is not a socket; remove it" + or_another;
  const file_descriptor probe{calls.socket()};
  if (!probe) return "cannot see whether anybody listens there: " + reason(errno);
  if (is_live(probe, address)) return "another process listens there; stop it" + or_another;
  if (place.unlink() != 0 && errno != ENOENT) return "stale socket file cannot be removed: " + reason(errno);
  return {};
}

std::string bind_reason(int error) {
  if (error == ENOENT) return "its directory does not exist; create it first";
  if (error == EACCES) return "permission denied; the daemon must be able to write to its directory";
  if (error == EROFS) return "its file system is read-only; under systemd, ReadWritePaths= must name its directory";
  return reason(error);
}

/// Lets those connect who may. The directory may be another's, so the path is not trusted twice: `made` is the file we
/// bound, and only that is given away. Empty on success.
std::string give_away(const socket_place& place, const struct stat& made, const socket_access& access) {
  const bool to_another = access.owner.value_or(made.st_uid) != made.st_uid || access.group;
  if (!to_another && access.mode == owner_only) return {};
  const file_descriptor file = place.open_file();
  struct stat there {};
  if (!file || ::fstat(file.get(), &there) != 0 || there.st_dev != made.st_dev || there.st_ino != made.st_ino) {
    return replaced;
  }
  constexpr auto unchanged = static_cast<uid_t>(-1);
  // While it is ours; and by this detour, because chmod takes no O_PATH descriptor.
  const std::string same_file = "/proc/self/fd/" + std::to_string(file.get());
  if (access.mode != owner_only && ::chmod(same_file.c_str(), access.mode) != 0) {
    return "cannot set its mode: " + reason(errno);
  }
  if (to_another && ::fchownat(file.get(), "", access.owner.value_or(unchanged), access.group.value_or(unchanged),
                               AT_EMPTY_PATH) != 0) {
    return "cannot give it to " + access.owner_key + ": " + reason(errno) + "; grant CAP_CHOWN, or remove " +
           access.owner_key;
  }
  return {};
}

}  // namespace

unix_listener::outcome unix_listener::bind(const std::string& path, const socket_access& access, socket_calls& calls) {
  sockaddr_un as_guests_connect;
  if (!fill_address(as_guests_connect, path)) {
    return {
        {},
        refuse(path, "longer than a socket path may be (107 bytes); choose a shorter " + std::string{access.path_key})};
  }
  claimed_places& places = claimed_places::of_this_process();
  const auto lock = places.lock();
  const auto place = socket_place::open(path, calls);
  if (!place) return {{}, refuse(path, bind_reason(errno))};
  const std::string holder = access.holder.empty() ? std::string{access.path_key} : access.holder;
  if (const auto another = places.another_than(holder, place->identity(), calls)) {
    bind_refusal refused = refuse(path, "is the socket of " + another->holder + " (" + escaped(another->path, 128) +
                                            "); choose another " + std::string{access.path_key});
    refused.belongs_to_another = true;
    return {{}, std::move(refused)};
  }
  places.add(place->identity(), holder, path);
  unix_listener made;
  made.calls_ = &calls;
  made.path_ = path;
  made.holder_ = holder;
  made.place_ = place->identity();
  const std::string why = made.bind_at(*place, access);
  made.file_is_there_ = why.empty();
  if (why.empty()) return {std::move(made), {telemetry_errc::none, {}}};
  places.remove(place->identity(), holder);
  return {{}, refuse(path, why)};
}

/// With the places' lock held. Empty, or why not; then nothing is left behind.
std::string unix_listener::bind_at(const socket_place& place, const socket_access& access) {
  const auto address = place.address();
  if (!address) return reason(ENAMETOOLONG);
  if (std::string why = clear_path(place, *address, access.path_key, *calls_); !why.empty()) return why;
  listening_ = file_descriptor{calls_->socket()};
  if (!listening_) return "no socket: " + reason(errno);
  take_no_descriptors(fd());
  // The file takes its mode from the socket: there is no moment at which others may connect.
  if (calls_->fchmod(fd(), owner_only) != 0) return "cannot set its mode: " + reason(errno);
  if (calls_->bind(fd(), *address) != 0) return bind_reason(errno);

  struct stat made {};
  if (place.lstat(made) != 0) return "vanished while being bound: " + reason(errno);
  // Who may write to the directory may have put a link to another's file in its place, which must not be given away.
  if (!S_ISSOCK(made.st_mode) || made.st_nlink != 1) return replaced;
  device_ = made.st_dev;
  inode_ = made.st_ino;
  // Before listen, so that nobody connects before the file is its peer's.
  std::string why = give_away(place, made, access);
  if (why.empty() && calls_->listen(fd(), backlog) != 0) why = "cannot listen: " + reason(errno);
  if (!why.empty()) remove_own_file(place);
  return why;
}

void unix_listener::remove_own_file(const socket_place& place) const {
  struct stat there {};
  if (place.lstat(there) == 0 && is_own(there)) (void)place.unlink();
}

void unix_listener::remove_file() {
  if (!file_is_there_.exchange(false)) return;
  claimed_places& places = claimed_places::of_this_process();
  const auto lock = places.lock();
  places.remove(place_, holder_);
  if (const auto place = socket_place::open(path_, *calls_)) return remove_own_file(*place);
  // Without a descriptor to hold the directory by.
  struct stat there {};
  if (calls_->lstat(AT_FDCWD, path_.c_str(), there) == 0 && is_own(there)) calls_->unlink(AT_FDCWD, path_.c_str());
}

void unix_listener::forget_file() {
  if (!file_is_there_.exchange(false)) return;
  claimed_places& places = claimed_places::of_this_process();
  const auto lock = places.lock();
  places.remove(place_, holder_);
}

socket_file unix_listener::look() const {
  struct stat there {};
  if (calls_->lstat(AT_FDCWD, path_.c_str(), there) == 0)
    return is_own(there) ? socket_file::in_place : socket_file::replaced;
  return errno == ENOENT || errno == ENOTDIR ? socket_file::gone : socket_file::unknown;
}

std::optional<std::uint32_t> peer_uid(int connection, socket_calls& calls) {
  ucred credentials{};
  if (calls.peer_credentials(connection, credentials) != 0) return std::nullopt;
  return credentials.uid;
}

}  // namespace cellos
