#include "runtime/daemon/daemon.hpp"

#include "runtime/daemon/host_daemon.hpp"

namespace cellos {

exit_code run_daemon(const configuration& settings, const std::filesystem::path& file) {
  return host_daemon{settings, file}.run();
}

}  // namespace cellos
