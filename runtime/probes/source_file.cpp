#include "runtime/probes/source_file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

namespace {

/// As openat2 does where there is none (before Linux 5.6, and where a filter of system calls does not know it): one
/// name at a time.
int open_step_by_step(int directory, std::string_view path) {
  file_descriptor at;
  int from = directory;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string name{path.substr(0, slash)};
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      errno = EXDEV;
      return -1;
    }
    const int intermediate = path.empty() ? 0 : O_DIRECTORY;
    file_descriptor next{
        uninterrupted([&] { return ::openat(from, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC | intermediate); })};
    if (!next) return -1;
    at = std::move(next);
    from = at.get();
  }
  if (!at) errno = EINVAL;
  return at.release();
}

/// A descriptor that names it and has no effect on it.
int name_beneath(int directory, const std::string& path) {
  struct open_how how {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const auto fd = uninterrupted([&] { return ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how); });
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
  return open_step_by_step(directory, path);
}

/// Of another's, or in another's place.
std::string_view what_is_foreign(const struct stat& status, const source_demands& demands) {
  if (demands.owner && status.st_uid != *demands.owner && status.st_uid != 0) return "is another user's";
  if (demands.one_name && status.st_nlink != 1) return "has more than one name";
  return {};
}

std::string_view what_is_wrong(const struct stat& status, const source_demands& demands) {
  const bool kind_fits =
      S_ISREG(status.st_mode) || (demands.kind == source_kind::regular_or_fifo && S_ISFIFO(status.st_mode));
  if (!kind_fits) {
    if (S_ISLNK(status.st_mode)) return "is a symbolic link";
    return demands.kind == source_kind::regular ? "is no regular file" : "is neither a regular file nor a FIFO";
  }
  return what_is_foreign(status, demands);
}

/// /proc says either of a process that is gone, a control group's files ENODEV.
bool is_absence(int system_error) { return system_error == ESRCH || system_error == ENOENT || system_error == ENODEV; }

std::string named(std::string_view path) { return "\"" + escaped(path, 200) + "\""; }

}  // namespace

probe_error_kind probe_error_kind_of(int system_error) {
  switch (system_error) {
    case EACCES:
    case EPERM: return probe_error_kind::permission_denied;
    case ENOSYS:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT: return probe_error_kind::platform_unsupported;
    case ETIMEDOUT:
    case EAGAIN: return probe_error_kind::timed_out;
    // What was named is reached by a link, or beyond the directory.
    case ELOOP:
    case EXDEV:
    case EISDIR: return probe_error_kind::malformed_source;
    default: return probe_error_kind::io;
  }
}

probe_error system_refusal(std::string_view what, int system_error) {
  return {probe_error_kind_of(system_error), std::string{what} + ": " + std::generic_category().message(system_error)};
}

probe_result<file_descriptor> open_trusted_directory(const std::string& path) {
  file_descriptor directory{uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); })};
  if (!directory) return system_refusal(named(path), errno);
  return directory;
}

probe_result<opened_source> open_source(int directory, const std::string& path, const source_demands& demands) {
  const file_descriptor name{name_beneath(directory, path)};
  if (!name) return system_refusal(named(path), errno);
  opened_source found;
  if (::fstat(name.get(), &found.status) != 0) return system_refusal(named(path), errno);
  const auto wrong = what_is_wrong(found.status, demands);
  if (!wrong.empty()) return probe_error{probe_error_kind::malformed_source, named(path) + " " + std::string{wrong}};
  // The very file that was looked at, whatever has its name by now.
  const std::string again = "/proc/self/fd/" + std::to_string(name.get());
  found.file = file_descriptor{
      uninterrupted([&] { return ::open(again.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); })};
  if (!found.file) return system_refusal(named(path), errno);
  return found;
}

probe_result<file_descriptor> name_socket(int directory, const std::string& path, std::optional<uid_t> owner) {
  file_descriptor name{name_beneath(directory, path)};
  if (!name) return system_refusal(named(path), errno);
  struct stat status {};
  if (::fstat(name.get(), &status) != 0) return system_refusal(named(path), errno);
  const auto wrong = S_ISSOCK(status.st_mode) ? what_is_foreign(status, {{}, owner, true}) : "is no socket";
  if (!wrong.empty()) return probe_error{probe_error_kind::malformed_source, named(path) + " " + std::string{wrong}};
  return name;
}

probe_result<std::optional<std::string>> read_kernel_file(int directory, const std::string& path, std::size_t most) {
  const file_descriptor file{uninterrupted(
      [&] { return ::openat(directory, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC); })};
  if (!file && is_absence(errno)) return std::optional<std::string>{};
  if (!file) return system_refusal(named(path), errno);
  std::string content;
  std::array<char, 4096> piece;
  for (;;) {
    const auto bytes = uninterrupted([&] { return ::read(file.get(), piece.data(), piece.size()); });
    if (bytes == 0) return std::optional{std::move(content)};
    if (bytes < 0 && is_absence(errno)) return std::optional<std::string>{};
    if (bytes < 0) return system_refusal(named(path), errno);
    content.append(piece.data(), static_cast<std::size_t>(bytes));
    if (content.size() > most) {
      return probe_error{probe_error_kind::malformed_source,
                         named(path) + " is longer than " + std::to_string(most) + " bytes"};
    }
  }
}

}  // namespace cellos
