#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "messages/host_probe.hpp"
#include "runtime/os/file_descriptor.hpp"

/// Files that a probe reads. Who owns a VMM can put what it likes in the place of some of them: a link to a file that
/// only we may read, a FIFO that never ends, a device that acts when it is opened, a file without end.
namespace cellos {

/// The kind of an error that a system call left.
probe_error_kind probe_error_kind_of(int system_error);
/// `what` was asked of the system, which refused with this number.
probe_error system_refusal(std::string_view what, int system_error);

/// A directory that an administrator vouches for, or the kernel: what names it may have links in it.
probe_result<file_descriptor> open_trusted_directory(const std::string& path);

enum class source_kind : std::uint8_t {
  regular,
  /// Also a regular file: Firecracker takes either for its metrics.
  regular_or_fifo,
};

struct source_demands {
  source_kind kind = source_kind::regular;
  /// Who must own it; nothing: anybody. Root may always.
  std::optional<uid_t> owner;
  /// Another name of the file may be one that its owner has no access to: a hard link opens what it could not read.
  bool one_name = false;
};

/// Which file it was, beside the file.
struct opened_source {
  file_descriptor file;
  struct stat status {};

  bool is_fifo() const { return S_ISFIFO(status.st_mode); }
  bool is_same_file(const struct stat& other) const {
    return status.st_dev == other.st_dev && status.st_ino == other.st_ino;
  }
};

/// Opens what is beneath the directory at this relative path, for reading without ever waiting. Follows no link on the
/// way and leaves the directory by no `..`; looks what it is before it is opened, so that opening has no effect.
probe_result<opened_source> open_source(int directory, const std::string& path, const source_demands& demands);

/// Names the Unix socket that is beneath the directory at this relative path, as open_source() finds a file: for a
/// connection to /proc/self/fd/N. Its owner is this one, or root, and it has no second name: a VMM's user may link
/// another service's socket to here. Nothing: it may be anybody's.
probe_result<file_descriptor> name_socket(int directory, const std::string& path, std::optional<uid_t> owner);

/// All that a file of the kernel's has to say, at most so many bytes; more is `malformed_source`. Nothing if it is not
/// there, or no longer: a process that is gone, a controller that is not enabled.
probe_result<std::optional<std::string>> read_kernel_file(int directory, const std::string& path, std::size_t most);

}  // namespace cellos
