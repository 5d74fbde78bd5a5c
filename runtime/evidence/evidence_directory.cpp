#include "runtime/evidence/evidence_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "runtime/segments/segment_name.hpp"

namespace cellos {

namespace {

constexpr mode_t directory_mode = 0750;
constexpr mode_t file_mode = 0640;
constexpr int lock_flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

std::string quoted(const std::filesystem::path& path) { return "\"" + path.string() + "\""; }

std::string this_user() { return "uid " + std::to_string(::geteuid()); }

file_descriptor open_directory(const std::filesystem::path& path, file_system& files) {
  return file_descriptor{
      uninterrupted([&] { return files.open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); })};
}

std::error_code create_missing(const std::filesystem::path& path, file_system& files) {
  std::error_code unknown;
  if (path.empty() || std::filesystem::exists(path, unknown)) return {};
  const auto parent = path.parent_path();
  if (auto failure = create_missing(parent, files)) return failure;
  if (uninterrupted([&] { return files.mkdir(path.c_str(), directory_mode); }) != 0 && errno != EEXIST) {
    return last_system_error();
  }
  const auto entries = open_directory(parent.empty() ? "." : parent, files);
  if (!entries) return last_system_error();
  return sync_directory(files, entries.get());
}

/// The process that has flocked this inode, as the kernel lists it; empty if it does not say.
///
///     1: FLOCK  ADVISORY  WRITE 4711 08:01:131074 0 EOF
std::string flock_holder(int fd, file_system& files) {
  file_identity wanted;
  if (files.identify(fd, wanted) != 0) return {};
  std::ifstream locks{"/proc/locks"};
  const std::string inode = ":" + std::to_string(wanted.inode);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number, kind, mode, access, pid, file;
    words >> number >> kind >> mode >> access >> pid >> file;
    // A process of another namespace has no number here.
    if (kind == "FLOCK" && file.ends_with(inode) && pid != "0" && pid != "-1") return pid;
  }
  return {};
}

/// Digits only: the file may hold anything.
std::string holder_of(int directory, int lock, file_system& files) {
  if (std::string pid = flock_holder(directory, files); !pid.empty()) return "process " + pid;
  std::array<char, 20> content{};
  const auto bytes = files.pread(lock, content.data(), content.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < bytes; ++i) {
    const char digit = content[static_cast<std::size_t>(i)];
    if (digit < '0' || digit > '9') break;
    pid += digit;
  }
  return pid.empty() ? "another process" : "process " + pid;
}

/// A courtesy to whoever finds the directory taken; the lock itself is the flock.
void leave_pid(int lock, file_system& files) {
  if (files.ftruncate(lock, 0) == 0) (void)files.write(lock, std::to_string(::getpid()) + "\n");
}

}  // namespace

evidence_directory::claim_result evidence_directory::claim(const std::filesystem::path& path, file_system& files) {
  const auto refused = [&](const std::string& why) -> claim_result {
    return {nullptr, "evidence directory " + quoted(path) + " " + why};
  };
  if (auto failure = create_missing(path, files)) {
    return refused("cannot be created: " + failure.message() + ". Create it, writable for " + this_user() +
                   ", or set [evidence] dir to one that is.");
  }
  std::unique_ptr<evidence_directory> directory{new evidence_directory{path, files}};
  directory->entries_ = open_directory(path, files);
  if (!directory->entries_) {
    const auto failure = last_system_error();
    if (failure == std::errc::not_a_directory) {
      return refused("is not a directory. Set [evidence] dir to a directory, or move that file away.");
    }
    return refused("cannot be opened: " + failure.message() + ". Make it readable and writable for " + this_user() +
                   ".");
  }
  const auto lock_path = path / ".lock";
  directory->lock_ =
      file_descriptor{uninterrupted([&] { return files.open(lock_path.c_str(), lock_flags, file_mode); })};
  if (!directory->lock_) {
    const auto failure = last_system_error();
    return refused("cannot be written: " + failure.message() + " for " + quoted(lock_path) + ". Make it writable for " +
                   this_user() + ".");
  }
  const int lock = directory->lock_.get();
  for (const int taken : {directory->entries_.get(), lock}) {
    if (uninterrupted([&] { return files.flock(taken); }) == 0) continue;
    const auto failure = last_system_error();
    if (failure == std::errc::operation_would_block) {
      return refused("is in use: " + holder_of(directory->entries_.get(), lock, files) + " holds its lock (" +
                     quoted(lock_path) + "). Stop that daemon, or give this one an [evidence] dir of its own.");
    }
    return refused("cannot be locked: " + failure.message() + " for " + quoted(taken == lock ? lock_path : path) +
                   ". Put it on a file system with flock, such as a local disk.");
  }
  leave_pid(lock, files);
  return {std::move(directory), {}};
}

std::filesystem::path evidence_directory::segment_path(std::uint64_t segment) const {
  return path_ / segment_file_name(segment);
}

bool evidence_directory::is_in_place() const {
  file_identity held;
  file_identity found;
  if (uninterrupted([&] { return files_.identify(entries_.get(), held); }) != 0) return true;
  // The directory itself, also where a symbolic link leads to it.
  const auto path = path_ / ".";
  if (uninterrupted([&] { return files_.identify(path.c_str(), found); }) != 0) {
    return errno != ENOENT && errno != ENOTDIR;
  }
  return held.is_same_file(found);
}

std::error_code evidence_directory::sync() const { return sync_directory(files_, entries_.get()); }

}  // namespace cellos
