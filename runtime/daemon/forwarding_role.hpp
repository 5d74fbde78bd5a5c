#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/daemon/committed_end.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/daemon_role.hpp"
#include "runtime/daemon/node_system.hpp"
#include "runtime/daemon/recorded_forwarding_events.hpp"
#include "runtime/forwarding/collector_connector.hpp"
#include "runtime/forwarding/forwarding_service.hpp"
#include "runtime/forwarding/reported_forwarding_events.hpp"
#include "runtime/transport/transport_connector.hpp"

namespace cellos {

/// Forwards the evidence log to collectors. It starts before the host, whose first line it forwards as well, and stops
/// after it: the last line is that the host has stopped.
class forwarding_role final : public daemon_role {
 public:
  /// Has `chain` say which histories forked. Both outlive it.
  forwarding_role(daemon_process& process, const committed_end& committed, own_chain& chain);
  ~forwarding_role() override;

  std::size_t threads() const override;
  std::vector<boot_step> claim_steps() override { return {}; }
  std::vector<boot_step> serve_steps() override;
  served_cells cells() const override { return {}; }
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) override;
  /// Lines that wait are no reason: collectors may be away for as long as the log has room.
  std::vector<std::string> unready_reasons() const override { return {}; }
  std::vector<configuration_error> prepare_reload(const configuration& read) override;
  void take_over(const configuration& read, reload_report& report) override;
  std::uint64_t cells_not_drained() const override { return 0; }

 private:
  class connector;

  std::string open_connector();
  std::string start_forwarding();
  void stop_forwarding();
  void show(const tls_settings& tls);

  daemon_process& process_;
  const configuration& settings_;
  const committed_end& committed_;
  own_chain& chain_;
  std::optional<reported_forwarding_events> reported_;
  std::optional<recorded_forwarding_events> events_;
  std::optional<node_system> system_;
  std::unique_ptr<connector> connector_;
  std::unique_ptr<forwarding_service> service_;
};

}  // namespace cellos
