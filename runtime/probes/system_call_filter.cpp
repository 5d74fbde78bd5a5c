#include "runtime/probes/system_call_filter.hpp"

#include <endian.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace cellos {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t own_architecture = 0;
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

constexpr std::uint32_t lower_half = __BYTE_ORDER == __LITTLE_ENDIAN ? 0 : 4;

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
sock_filter answer(std::uint32_t what) { return BPF_STMT(BPF_RET | BPF_K, what); }
/// Goes on with the next instruction if it is equal, and past so many others if not.
sock_filter skip_unless(std::uint32_t value, std::uint8_t others) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, others);
}

std::vector<sock_filter> program_of(std::span<const allowed_call> calls) {
  // A call of another architecture has another meaning.
  std::vector<sock_filter> program{load(offsetof(seccomp_data, arch)),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_architecture, 1, 0),
                                   answer(SECCOMP_RET_KILL_PROCESS)};
  for (const allowed_call& each : calls) {
    const bool has_argument = each.argument >= 0;
    program.push_back(load(offsetof(seccomp_data, nr)));
    program.push_back(skip_unless(static_cast<std::uint32_t>(each.number), has_argument ? 4 : 1));
    if (has_argument) {
      const std::size_t at = offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(each.argument);
      program.push_back(load(at + lower_half));
      program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, each.mask));
      program.push_back(skip_unless(each.value, 1));
    }
    program.push_back(answer(SECCOMP_RET_ALLOW));
  }
  program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  return program;
}

}  // namespace

std::string allow_only(std::span<const allowed_call> calls) {
  if constexpr (is_sanitized) return {};
  if constexpr (own_architecture == 0) return "system calls of this architecture are not known";
  std::vector<sock_filter> program = program_of(calls);
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0) != 0) return std::strerror(errno);
  return {};
}

}  // namespace cellos
