#include "runtime/os/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace cellos {

namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

}  // namespace

bool lock_file::is_still_there() const {
  struct stat ours {};
  struct stat named {};
  return locked_ && ::fstat(locked_.get(), &ours) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

std::error_code lock_file::hold() {
  // Whoever removes the file between open and flock makes us look once more.
  constexpr int most_attempts = 3;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (is_still_there()) return {};
    file_descriptor opened{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)};
    if (!opened || ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) return last_error();
    locked_ = std::move(opened);
  }
  return is_still_there() ? std::error_code{} : std::make_error_code(std::errc::resource_unavailable_try_again);
}

}  // namespace cellos
