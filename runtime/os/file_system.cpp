#include "runtime/os/file_system.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

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
  int syncfs(int fd) override { return ::syncfs(fd); }
  int unlink(const char* path) override { return ::unlink(path); }
  int rename(const char* from, const char* to) override { return ::rename(from, to); }
};

}  // namespace

file_system& real_file_system() {
  static auto* const instance = new posix_file_system;
  return *instance;
}

std::error_code write_all(file_system& files, int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = uninterrupted([&] { return files.write(fd, bytes); });
    if (written < 0) return last_system_error();
    if (written == 0) return std::make_error_code(std::errc::io_error);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::error_code sync_directory(file_system& files, int fd) {
  if (uninterrupted([&] { return files.fsync(fd); }) == 0) return {};
  // Some file systems cannot sync a directory and need not.
  if (errno == EINVAL) return {};
  return last_system_error();
}

replaced_file replace_file(file_system& files, const std::filesystem::path& path, std::string_view content,
                           mode_t mode) {
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const auto beside = path.native() + ".new";
  // A file that an earlier attempt left, whatever it is, is not written to.
  if (uninterrupted([&] { return files.unlink(beside.c_str()); }) != 0 && errno != ENOENT) {
    return {{}, last_system_error()};
  }
  file_descriptor made{uninterrupted([&] { return files.open(beside.c_str(), flags, mode); })};
  if (!made) return {{}, last_system_error()};
  if (const auto failure = write_all(files, made.get(), content)) return {{}, failure};
  if (uninterrupted([&] { return files.fdatasync(made.get()); }) != 0) return {{}, last_system_error()};
  if (uninterrupted([&] { return files.rename(beside.c_str(), path.c_str()); }) != 0) return {{}, last_system_error()};
  return {std::move(made), {}};
}

}  // namespace cellos
