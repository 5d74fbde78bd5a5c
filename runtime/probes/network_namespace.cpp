#include "runtime/probes/network_namespace.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>

#include "runtime/os/file_system.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

probe_result<file_descriptor> open_network_namespace(const std::string& path) {
  // Named before it is opened: a FIFO would have us wait, a device might act.
  const file_descriptor named{uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_CLOEXEC); })};
  if (!named) return system_refusal("network namespace " + path, errno);
  struct statfs on {};
  if (::fstatfs(named.get(), &on) != 0) return system_refusal("network namespace " + path, errno);
  if (on.f_type != NSFS_MAGIC) {
    return probe_error{probe_error_kind::malformed_source, path + " is no network namespace"};
  }
  const std::string again = "/proc/self/fd/" + std::to_string(named.get());
  file_descriptor place{uninterrupted([&] { return ::open(again.c_str(), O_RDONLY | O_CLOEXEC); })};
  if (!place) return system_refusal("network namespace " + path, errno);
  return place;
}

std::optional<probe_error> in_network_namespace(const std::string& path, const std::function<void()>& work) {
  if (path.empty()) {
    work();
    return std::nullopt;
  }
  const auto place = open_network_namespace(path);
  if (!place) return place.error();
  std::optional<probe_error> error;
  std::exception_ptr thrown;
  try {
    std::thread inside{[&] {
      if (::setns(place->get(), CLONE_NEWNET) != 0) {
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
