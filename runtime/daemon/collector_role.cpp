// A collector's steps: its directory, then the actors and the thread that commits, and at last the address: whoever is
// let in finds everything there.

#include "runtime/daemon/collector_role.hpp"

#include <cstdint>
#include <utility>
#include <variant>

#include "runtime/daemon/shown_transport.hpp"
#include "runtime/daemon/tls_reload.hpp"
#include "runtime/os/system_clocks.hpp"
#include "runtime/transport/socket_address.hpp"

namespace cellos {

namespace {

/// The committer, the recorder, the transport's front; and some to spare.
constexpr std::size_t own_threads = 4;

/// A host gets no more through than this in the time of a sync, and a disk that others use takes 20 ms for one: as many
/// usual batches as may be unanswered.
constexpr std::uint32_t window_bytes = std::uint32_t{8} << 20;

collector_service_settings settings_of(const collector_configuration& configured) {
  collector_service_settings settings;
  settings.dir = configured.dir;
  settings.window_bytes = window_bytes;
  settings.hosts.silence_window = std::chrono::duration_cast<std::chrono::milliseconds>(configured.silence_window);
  settings.hosts.awaits_recall = true;
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
         recording_.reset();
         service_->stop();
         system_.reset();
       }},
      {"listen for hosts", [this] { return listen(); }, [this] { stop_listening(); }},
  };
}

std::string collector_role::open_directory() {
  events_.emplace(process_.events(), system_monotonic_clock());
  recorder_.emplace(chain_recorder::surroundings{
                        chain_, system_monotonic_clock(), settings_.evidence.dir, [this] { return service_->copies(); },
                        [this](std::vector<std::string> silent) { service_->recall(std::move(silent)); }},
                    witness_limits{.interval = settings_.collector.witness_interval});
  recorded_events_.emplace(*events_, *recorder_, settings_.collector.silence_window);
  collector_service_settings settings = settings_of(settings_.collector);
  if (settings_.collector.require_signed) {
    auto loaded = key_list::load(settings_.collector.keys_file);
    if (const auto* refusal = std::get_if<std::string>(&loaded)) return *refusal;
    settings.signers = std::make_shared<const key_list>(std::move(std::get<key_list>(loaded)));
  }
  auto opened = collector_service::open(std::move(settings), *recorded_events_);
  service_ = std::move(opened.service);
  return opened.refusal;
}

std::string collector_role::start_actors() {
  system_.emplace();
  service_->start(system_->actors());
  chain_.before_close([this] { recorder_->work(true); });
  recording_.emplace(*recorder_);
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
  show(settings_.tls);
  process_.events().collector_listening(place_text(at.host, server_->port()));
  return {};
}

void collector_role::show(const tls_settings& tls) {
  process_.nodes().show(this, {.transport = [this] { return transport_shown("collector", server_->account()); },
                               .certificate =
                                   [this, file = tls.certificate.native()] {
                                     return certificate_shown("collector", file, server_->certificate_expires());
                                   },
                               .collection = [this] { return service_->taken(); },
                               .hosts = [this] { return service_->shown_hosts(system_monotonic_clock().now()); }});
}

void collector_role::stop_listening() {
  process_.nodes().hide(this);
  server_.reset();
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
  show(read.tls);
}

}  // namespace cellos
