#include "runtime/probes/system_call_filter.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#define CAF_SUITE system_call_filter
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool has_filters = false;
#else
constexpr bool has_filters = true;
#endif

constexpr int done = 7;

/// What a process whose calls are these ends with: an exit code, or 128 and a signal.
int end_of(const std::function<void()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    static constexpr std::array allowed = std::to_array<allowed_call>({
        {SYS_exit_group},
        {SYS_getpid},
        {SYS_kill, 1, ~0U, 0},
        {SYS_mprotect, 2, PROT_EXEC, 0},
    });
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!allow_only(allowed).empty()) ::_exit(1);
    what();
    ::_exit(done);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

CAF_TEST(what_is_listed_goes_on_and_anything_else_kills) {
  if (!has_filters) return;
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_getpid); }), done);
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_getppid); }), 128 + SIGSYS);
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_setns, -1, 0); }), 128 + SIGSYS);
}

CAF_TEST(an_argument_is_held_to_its_value_beneath_its_mask) {
  if (!has_filters) return;
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_kill, ::syscall(SYS_getpid), 0); }), done);
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGCONT); }), 128 + SIGSYS);
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_mprotect, nullptr, 0, PROT_READ | PROT_WRITE); }), done);
  CAF_CHECK_EQUAL(end_of([] { ::syscall(SYS_mprotect, nullptr, 0, PROT_READ | PROT_EXEC); }), 128 + SIGSYS);
}

#if defined(__x86_64__)
CAF_TEST(a_call_by_the_numbers_of_another_architecture_kills) {
  if (!has_filters) return;
  // x32's getpid; a kernel without it would answer ENOSYS.
  CAF_CHECK_EQUAL(end_of([] { ::syscall(0x40000000L | SYS_getpid); }), 128 + SIGSYS);
}
#endif
