#include "runtime/probes/network_namespace.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

std::optional<probe_error> in_network_namespace(const std::string& path, const std::function<void()>& work) {
  if (path.empty()) {
    work();
    return std::nullopt;
  }
  // Non-blocking: a FIFO of that name would have us wait.
  const file_descriptor place{
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); })};
  if (!place) return system_refusal("network namespace " + path, errno);
  struct statfs on {};
  if (::fstatfs(place.get(), &on) != 0) return system_refusal("network namespace " + path, errno);
  if (on.f_type != NSFS_MAGIC) {
    return probe_error{probe_error_kind::malformed_source, path + " is no network namespace"};
  }
  std::optional<probe_error> error;
  std::exception_ptr thrown;
  try {
    std::thread inside{[&] {
      if (::setns(place.get(), CLONE_NEWNET) != 0) {
        error = system_refusal("network namespace " + path, errno);
        return;
      }
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
    }};
    inside.join();
  } catch (const std::system_error& no_thread) {
    return system_refusal("a thread for network namespace " + path, no_thread.code().value());
  }
  if (thrown) std::rethrow_exception(thrown);
  return error;
}

}  // namespace cellos
