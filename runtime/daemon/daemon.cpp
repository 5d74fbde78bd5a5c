#include "runtime/daemon/daemon.hpp"

#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/host_role.hpp"
#include "runtime/os/descriptor_plan.hpp"

namespace cellos {

exit_code run_daemon(const configuration& settings, const std::filesystem::path& file) {
  raise_descriptor_limit();
  daemon_process process{settings, file};
  host_role host{process};
  return process.run(role_list{{&host}});
}

}  // namespace cellos
