#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "runtime/os/file_descriptor.hpp"

namespace cellos {

/// Which file something is, whatever its name is at the moment.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;

  bool is_same_file(const file_identity& other) const { return device == other.device && inode == other.inode; }
};

/// The system calls that files are read and written with, as POSIX has them: -1 and errno on failure.
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
  /// Of the whole file system that the file is on.
  virtual int syncfs(int fd) = 0;
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

std::error_code write_all(file_system& files, int fd, std::string_view bytes);

/// Makes the entries of an open directory durable, where its file system can and needs to.
std::error_code sync_directory(file_system& files, int fd);

/// A file that `replace_file` has put in its place, open for appending.
struct replaced_file {
  file_descriptor file;
  /// If set, the file at the path is the one before, or none.
  std::error_code failure;
};

/// Puts a file with this content at `path`: written beside it as PATH.new, flushed, and moved over it, so that a crash
/// leaves either the file before or this one. The move is durable once its directory is synced.
replaced_file replace_file(file_system& files, const std::filesystem::path& path, std::string_view content,
                           mode_t mode);

}  // namespace cellos
