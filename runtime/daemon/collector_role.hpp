#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/collector/collector_service.hpp"
#include "runtime/collector/recorded_collector_events.hpp"
#include "runtime/collector/reported_collector_events.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/daemon_role.hpp"
#include "runtime/daemon/node_chain.hpp"
#include "runtime/daemon/node_system.hpp"
#include "runtime/transport/transport_server.hpp"

namespace cellos {

/// A collector of other hosts' logs: keeps them byte for byte, and notices hosts that fall silent.
class collector_role final : public daemon_role {
 public:
  /// Has `chain` say what it knows of its hosts; it outlives this.
  collector_role(daemon_process& process, node_chain& chain)
      : process_(process), settings_(process.settings()), chain_(chain) {}

  std::size_t threads() const override;
  std::vector<boot_step> claim_steps() override;
  std::vector<boot_step> serve_steps() override;
  served_cells cells() const override { return {}; }
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) override;
  std::vector<std::string> unready_reasons() const override { return {}; }
  std::vector<configuration_error> prepare_reload(const configuration& read) override;
  void take_over(const configuration& read, reload_report& report) override;
  std::uint64_t cells_not_drained() const override { return 0; }

 private:
  std::string open_directory();
  std::string start_actors();
  std::string listen();
  void stop_listening();
  void show(const tls_settings& tls);

  daemon_process& process_;
  const configuration& settings_;
  node_chain& chain_;
  std::optional<reported_collector_events> events_;
  std::optional<chain_recorder> recorder_;
  std::optional<recorded_collector_events> recorded_events_;
  std::unique_ptr<collector_service> service_;
  std::optional<node_system> system_;
  std::optional<recorder_thread> recording_;
  std::unique_ptr<transport_server> server_;
};

/// `[tls]`, and whom `[collector]` refuses.
tls_settings collector_tls(const configuration& settings);

}  // namespace cellos
