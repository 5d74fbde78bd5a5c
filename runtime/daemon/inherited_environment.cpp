#include "runtime/daemon/inherited_environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/daemon/awaited_signals.hpp"
#include "runtime/signing/environment_secrets.hpp"
#include "runtime/signing/memory_protection.hpp"

namespace cellos {

namespace {

/// Written by nobody else, read by its group at most.
constexpr mode_t closed_to_others = 0027;

/// What the daemon, systemd's library, the C library's clock and messages, and sanitizers heed.
constexpr std::array<std::string_view, 14> heeded{
    "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_PID",
    "WATCHDOG_USEC",         "PATH",          "HOME",           "LANG",          "TZ",
    "ASAN_OPTIONS",          "LSAN_OPTIONS",  "TSAN_OPTIONS",   "UBSAN_OPTIONS"};
constexpr std::array<std::string_view, 2> heeded_prefixes{"CELLOS_", "LC_"};

bool is_heeded(std::string_view name) {
  return std::find(heeded.begin(), heeded.end(), name) != heeded.end() ||
         std::any_of(heeded_prefixes.begin(), heeded_prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

/// OPENSSL_CONF loads code, MALLOC_ variables change how memory is wiped, resolver variables where names lead.
void forget_stray_variables() {
  std::vector<std::string> stray;
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry{*each};
    const std::string_view name = entry.substr(0, entry.find('='));
    if (!is_heeded(name)) stray.emplace_back(name);
  }
  for (const std::string& name : stray) ::unsetenv(name.c_str());
}

/// The lowest free number is what open returns, so that each closed one is filled in turn.
std::string open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    if (::open("/dev/null", O_RDWR) != descriptor) {
      return std::string{"descriptor "} + std::to_string(descriptor) +
             " is closed, and /dev/null cannot be opened in its place: " + std::strerror(errno);
    }
  }
  return {};
}

}  // namespace

std::string secure_inherited_environment() {
  if (std::string refusal = open_standard_descriptors(); !refusal.empty()) return refusal;
  if (std::string refusal = take_up_signals(); !refusal.empty()) return refusal;
  // What the parent closed stays closed.
  ::umask(::umask(0777) | closed_to_others);
  protect_memory();
  take_environment_secrets();
  forget_stray_variables();
  return {};
}

}  // namespace cellos
