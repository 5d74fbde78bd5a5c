#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/os/file_system.hpp"

namespace cellos::test {

enum class file_call : std::uint8_t {
  mkdir,
  open,
  flock,
  file_size,
  identify,
  pread,
  write,
  ftruncate,
  fdatasync,
  fsync,
  syncfs,
  unlink,
  rename,
};

/// The real file system, with faults on demand. Syncs are only counted: waiting for the disk would test nothing.
class faulty_file_system : public file_system {
 public:
  /// Asked before every call; an errno makes the call fail, 0 lets it through. May wait. Set before the first call.
  std::function<int(file_call)> fault;
  /// A write that is to fail first writes half.
  bool torn_writes = false;
  /// A write writes at most this much.
  std::size_t longest_write = std::size_t{1} << 30;
  std::atomic<std::uint64_t> data_syncs = 0;

  int mkdir(const char* path, mode_t mode) override { return refused(file_call::mkdir) ? -1 : real_.mkdir(path, mode); }
  int open(const char* path, int flags, mode_t mode) override {
    return refused(file_call::open) ? -1 : real_.open(path, flags, mode);
  }
  int flock(int fd) override { return refused(file_call::flock) ? -1 : real_.flock(fd); }
  off_t file_size(int fd) override { return refused(file_call::file_size) ? -1 : real_.file_size(fd); }
  int identify(int fd, file_identity& into) override {
    return refused(file_call::identify) ? -1 : real_.identify(fd, into);
  }
  int identify(const char* path, file_identity& into) override {
    return refused(file_call::identify) ? -1 : real_.identify(path, into);
  }
  ssize_t pread(int fd, char* into, std::size_t bytes, off_t offset) override {
    return refused(file_call::pread) ? -1 : real_.pread(fd, into, bytes, offset);
  }
  ssize_t write(int fd, std::string_view bytes) override {
    if (!refused(file_call::write)) return real_.write(fd, bytes.substr(0, longest_write));
    const int error = errno;
    if (torn_writes) (void)real_.write(fd, bytes.substr(0, bytes.size() / 2));
    errno = error;
    return -1;
  }
  int ftruncate(int fd, off_t size) override { return refused(file_call::ftruncate) ? -1 : real_.ftruncate(fd, size); }
  int fdatasync(int) override {
    ++data_syncs;
    return refused(file_call::fdatasync) ? -1 : 0;
  }
  int fsync(int) override { return refused(file_call::fsync) ? -1 : 0; }
  int syncfs(int) override {
    ++data_syncs;
    return refused(file_call::syncfs) ? -1 : 0;
  }
  int unlink(const char* path) override { return refused(file_call::unlink) ? -1 : real_.unlink(path); }
  int rename(const char* from, const char* to) override {
    return refused(file_call::rename) ? -1 : real_.rename(from, to);
  }

 protected:
  bool refused(file_call call) const {
    const int error = fault ? fault(call) : 0;
    errno = error;
    return error != 0;
  }

  file_system& real_ = real_file_system();
};

}  // namespace cellos::test
