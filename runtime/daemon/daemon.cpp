#include "runtime/daemon/daemon.hpp"

#include "runtime/daemon/host_daemon.hpp"
#include "runtime/os/descriptor_plan.hpp"

namespace cellos {

exit_code run_daemon(const configuration& settings, const std::filesystem::path& file) {
  raise_descriptor_limit();
  return host_daemon{settings, file}.run();
}

}  // namespace cellos
