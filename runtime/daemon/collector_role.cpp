// A collector's steps: its directory, then the actors and the thread that commits, and at last the address: whoever is
// let in finds everything there.

#include "runtime/daemon/collector_role.hpp"

#include <cstdint>
#include <utility>
#include <variant>

#include "runtime/daemon/tls_reload.hpp"
#include "runtime/os/system_clocks.hpp"
#include "runtime/transport/socket_address.hpp"

namespace cellos {

namespace {

/// The committer, the transport's front; and some to spare.
constexpr std::size_t own_threads = 4;

/// A host gets no more through than this in the time of a sync, and a disk that others use takes 20 ms for one: as many
/// usual batches as may be unanswered.
constexpr std::uint32_t window_bytes = std::uint32_t{8} << 20;

collector_service_settings settings_of(const collector_configuration& configured) {
  collector_service_settings settings;
  settings.dir = configured.dir;
  settings.window_bytes = window_bytes;
  settings.hosts.silence_window = std::chrono::duration_cast<std::chrono::milliseconds>(configured.silence_window);
  settings.hosts.host_bytes_per_second = configured.host_bytes_per_second;
  return settings;
}

}  // namespace

tls_settings collector_tls(const configuration& settings) {
  tls_settings tls = settings.tls;
  tls.denied_hosts = settings.collector.denied_hosts;
  return tls;
}

std::size_t collector_role::threads() const { return own_threads + node_system::threads_at_most; }

std::vector<boot_step> collector_role::claim_steps() {
  return {{"open the directory of the hosts' logs", [this] { return open_directory(); }, [this] { service_.reset(); }}};
}

std::vector<boot_step> collector_role::serve_steps() {
  return {
      {"start the collector", [this] { return start_actors(); },
       [this] {
         service_->stop();
         system_.reset();
       }},
      {"listen for hosts", [this] { return listen(); }, [this] { server_.reset(); }},
  };
}

std::string collector_role::open_directory() {
  events_.emplace(process_.events(), system_monotonic_clock());
  auto opened = collector_service::open(settings_of(settings_.collector), *events_);
  service_ = std::move(opened.service);
  return opened.refusal;
}

std::string collector_role::start_actors() {
  system_.emplace();
  service_->start(system_->actors());
  return {};
}

std::string collector_role::listen() {
  const collector_place& at = *settings_.collector.listen;
  transport_server_settings served;
  served.host = at.host;
  served.port = at.port;
  served.tls = collector_tls(settings_);
  served.spawn = [this](const peer_identity& peer) { return service_->spawn_session(peer); };
  served.interface = system_->actors().message_types<ingest_actor>();
  auto started = transport_server::start(system_->actors(), std::move(served));
  if (const auto* refusal = std::get_if<std::string>(&started)) return *refusal;
  server_ = std::move(std::get<std::unique_ptr<transport_server>>(started));
  process_.events().collector_listening(place_text(at.host, server_->port()));
  return {};
}

sign_of_life collector_role::check_liveness(std::chrono::nanoseconds timeout) {
  sign_of_life seen;
  if (!service_->hosts(std::chrono::ceil<std::chrono::milliseconds>(timeout))) {
    seen.problem = "The COLLECTOR SUPERVISOR does not answer";
  }
  return seen;
}

std::vector<configuration_error> collector_role::prepare_reload(const configuration& read) {
  return check_certificates(process_, collector_tls(read), transport_side::collector);
}

void collector_role::take_over(const configuration& read, reload_report&) {
  take_over_certificates(process_, collector_tls(read),
                         [this](const tls_settings& tls) { return server_->reload(tls); });
}

}  // namespace cellos
