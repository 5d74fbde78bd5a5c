#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/daemon/committed_end.hpp"
#include "runtime/daemon/daemon_process.hpp"
#include "runtime/daemon/daemon_role.hpp"
#include "runtime/forwarding/reported_receiver_events.hpp"
#include "runtime/jetstream/jetstream_forwarder.hpp"

namespace cellos {

/// Delivers the evidence log to a stream of NATS JetStream. It starts before the host and stops after it, as
/// forwarding_role does.
class jetstream_role final : public daemon_role {
 public:
  /// `committed` outlives it.
  jetstream_role(daemon_process& process, const committed_end& committed)
      : process_(process), settings_(process.settings()), committed_(committed) {}

  std::size_t threads() const override;
  std::vector<boot_step> claim_steps() override;
  std::vector<boot_step> serve_steps() override;
  served_cells cells() const override { return {}; }
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) override;
  /// Lines that wait are no reason: servers may be away for as long as the log has room.
  std::vector<std::string> unready_reasons() const override { return {}; }
  std::vector<configuration_error> prepare_reload(const configuration&) override { return {}; }
  void take_over(const configuration&, reload_report&) override {}
  std::uint64_t cells_not_drained() const override { return 0; }

 private:
  std::string start();
  void stop();

  daemon_process& process_;
  const configuration& settings_;
  const committed_end& committed_;
  std::optional<reported_receiver_events> events_;
  std::unique_ptr<jetstream_forwarder> forwarder_;
};

}  // namespace cellos
