#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>

namespace cellos {

/// Which file something is, whatever its name is at the moment.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;

  bool is_same_file(const file_identity& other) const { return device == other.device && inode == other.inode; }
};

/// The system calls the evidence log depends on, as POSIX has them: -1 and errno on failure.
///
/// A seam, so that tests can fail each call in turn.
class file_system {
 public:
  file_system() = default;
  file_system(const file_system&) = delete;
  file_system& operator=(const file_system&) = delete;
  virtual ~file_system() = default;

  virtual int mkdir(const char* path, mode_t mode) = 0;
  virtual int open(const char* path, int flags, mode_t mode) = 0;
  /// Exclusive, without waiting.
  virtual int flock(int fd) = 0;
  virtual off_t file_size(int fd) = 0;
  virtual int identify(int fd, file_identity& into) = 0;
  /// A symbolic link is itself.
  virtual int identify(const char* path, file_identity& into) = 0;
  virtual ssize_t pread(int fd, char* into, std::size_t bytes, off_t offset) = 0;
  virtual ssize_t write(int fd, std::string_view bytes) = 0;
  virtual int ftruncate(int fd, off_t size) = 0;
  virtual int fdatasync(int fd) = 0;
  virtual int fsync(int fd) = 0;
  virtual int unlink(const char* path) = 0;
  virtual int rename(const char* from, const char* to) = 0;
};

/// The operating system's own. Thread-safe, never destroyed.
file_system& real_file_system();

/// Repeats a call for as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call&& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

inline std::error_code last_system_error() { return {errno, std::generic_category()}; }

}  // namespace cellos
