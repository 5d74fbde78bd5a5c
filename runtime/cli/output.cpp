#include "runtime/cli/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>

namespace cellos::cli {

void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free one, which is this. Neither can be used: input is not for reading, output not for writing.
    (void)::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

namespace {

/// Why nothing more can be written; 0 where it could.
int why_refused() {
  const char end_of_line = '\n';
  return ::write(STDOUT_FILENO, &end_of_line, 1) == 1 ? 0 : errno;
}

}  // namespace

exit_code close_output(exit_code outcome) {
  std::cout.flush();
  bool failed = std::ferror(stdout) != 0 || std::cout.bad();
  failed = std::fflush(stdout) != 0 || failed;
  // Which error it was when it failed nobody kept.
  int why = failed ? why_refused() : 0;
  // A disk may take what is written and refuse it in the end.
  errno = 0;
  if (std::fclose(stdout) != 0 && !failed) {
    failed = true;
    why = errno;
  }
  if (!failed || why == EPIPE) return outcome;
  const std::string reason = why == 0 ? "" : ": " + std::error_code{why, std::system_category()}.message();
  std::fprintf(stderr, "cellos-telemetryctl: standard output cannot be written%s; what is there is not all\n",
               reason.c_str());
  return exit_unavailable;
}

}  // namespace cellos::cli
