#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace cellos::test {

/// An empty directory that goes with the object, and all in it. Its path is short: socket paths below it may have 107
/// bytes. Every user may enter it, as a cell's peer must.
class temporary_directory {
 public:
  explicit temporary_directory(const std::filesystem::path& parent = "/tmp") {
    std::string name = parent / "ct-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr || ::chmod(name.c_str(), 0755) != 0) {
      throw std::runtime_error("no temporary directory " + name);
    }
    path_ = name;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// In memory, where there is such a place: for tests that create thousands of files, or sync directories.
class memory_directory : public temporary_directory {
 public:
  memory_directory() : temporary_directory(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") {}
};

}  // namespace cellos::test
