#include "runtime/evidence/file_system.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace cellos {

namespace {

file_identity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino, status.st_size}; }

class posix_file_system final : public file_system {
 public:
  int mkdir(const char* path, mode_t mode) override { return ::mkdir(path, mode); }
  int open(const char* path, int flags, mode_t mode) override { return ::open(path, flags, mode); }
  int flock(int fd) override { return ::flock(fd, LOCK_EX | LOCK_NB); }
  off_t file_size(int fd) override {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_size : -1;
  }
  int identify(int fd, file_identity& into) override {
    struct stat status {};
    const int failed = ::fstat(fd, &status);
    if (failed == 0) into = identity_of(status);
    return failed;
  }
  int identify(const char* path, file_identity& into) override {
    struct stat status {};
    const int failed = ::lstat(path, &status);
    if (failed == 0) into = identity_of(status);
    return failed;
  }
  ssize_t pread(int fd, char* into, std::size_t bytes, off_t offset) override {
    return ::pread(fd, into, bytes, offset);
  }
  ssize_t write(int fd, std::string_view bytes) override { return ::write(fd, bytes.data(), bytes.size()); }
  int ftruncate(int fd, off_t size) override { return ::ftruncate(fd, size); }
  int fdatasync(int fd) override { return ::fdatasync(fd); }
  int fsync(int fd) override { return ::fsync(fd); }
  int unlink(const char* path) override { return ::unlink(path); }
  int rename(const char* from, const char* to) override { return ::rename(from, to); }
};

}  // namespace

file_system& real_file_system() {
  static auto* const instance = new posix_file_system;
  return *instance;
}

}  // namespace cellos
