#include "runtime/daemon/daemon.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "runtime/daemon/collector_role.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/forwarding_role.hpp"
#include "runtime/daemon/host_role.hpp"
#include "runtime/daemon/http_role.hpp"
#include "runtime/daemon/jetstream_role.hpp"
#include "runtime/daemon/node_chain.hpp"
#include "runtime/daemon/probe_privileges.hpp"
#include "runtime/os/descriptor_plan.hpp"

namespace cellos {

exit_code run_daemon(const configuration& settings, const std::filesystem::path& file) {
  raise_descriptor_limit();
  // Before there are threads, and anything that a guest reaches.
  const probe_privileges privileges = separate_probe_privileges(settings);
  daemon_process process{settings, file};
  // In the order in which they start; they stop in reverse.
  std::vector<daemon_role*> roles;
  node_chain chain;
  std::optional<collector_role> collector;
  if (settings.collector.listen) roles.push_back(&collector.emplace(process, chain));
  committed_end committed;
  std::optional<forwarding_role> forwarding;
  if (!settings.forward.collectors.empty()) roles.push_back(&forwarding.emplace(process, committed, chain));
  std::optional<jetstream_role> stream;
  if (!settings.forward.jetstream.servers.empty()) roles.push_back(&stream.emplace(process, committed));
  std::optional<http_role> http;
  if (!settings.forward.http.url.empty()) roles.push_back(&http.emplace(process, committed));
  host_role host{process, committed, chain, privileges};
  roles.push_back(&host);
  return process.run(role_list{std::move(roles)});
}

}  // namespace cellos
