// Forwarding's steps: the certificate, then the forwarder. Its stop waits for what the host wrote last to be delivered,
// but not for long: what is left goes on with the next start.

#include "runtime/daemon/forwarding_role.hpp"

#include <utility>
#include <variant>

#include "runtime/daemon/shown_transport.hpp"
#include "runtime/daemon/tls_reload.hpp"
#include "runtime/transport/socket_address.hpp"

namespace cellos {

namespace {

/// How long a stop waits for collectors. Within what a service manager allows; chosen here.
constexpr std::chrono::seconds drain_timeout{5};
/// An attempt's thread each, and some to spare.
constexpr std::size_t own_threads = 4;

}  // namespace

/// The transport, as the forwarder knows it.
class forwarding_role::connector final : public collector_connector {
 public:
  connector(std::unique_ptr<transport_connector> transport, std::vector<collector_place> places)
      : transport_(std::move(transport)), places_(std::move(places)) {}

  void connect(std::size_t collector, outcome_function outcome) override {
    transport_->connect(places_.at(collector), [outcome = std::move(outcome)](transport_connector::connected reached) {
      if (auto* session = std::get_if<caf::strong_actor_ptr>(&reached)) return outcome(std::move(*session), {});
      outcome(nullptr, std::get<std::string>(reached));
    });
  }
  void hang_up(const caf::strong_actor_ptr& session) override { transport_->disconnect(session); }

  transport_connector& transport() { return *transport_; }

 private:
  std::unique_ptr<transport_connector> transport_;
  const std::vector<collector_place> places_;
};

forwarding_role::forwarding_role(daemon_process& process, const committed_end& committed, own_chain& chain)
    : process_(process), settings_(process.settings()), committed_(committed), chain_(chain) {}

forwarding_role::~forwarding_role() = default;

std::size_t forwarding_role::threads() const {
  return own_threads + settings_.forward.collectors.size() + node_system::threads_at_most;
}

std::vector<boot_step> forwarding_role::serve_steps() {
  return {
      {"reach collectors", [this] { return open_connector(); },
       [this] {
         connector_.reset();
         system_.reset();
       }},
      {"forward the evidence log", [this] { return start_forwarding(); }, [this] { stop_forwarding(); }},
  };
}

std::string forwarding_role::open_connector() {
  reported_.emplace(process_.events());
  events_.emplace(*reported_, chain_, settings_.evidence.dir);
  system_.emplace();
  transport_connector_settings reached;
  reached.tls = settings_.tls;
  reached.interface = system_->actors().message_types<ingest_actor>();
  auto opened = transport_connector::open(system_->actors(), std::move(reached));
  if (auto* refusal = std::get_if<std::string>(&opened)) {
    system_.reset();
    return std::move(*refusal);
  }
  auto& transport = std::get<std::unique_ptr<transport_connector>>(opened);
  // Collectors believe the certificate, not the configuration.
  if (!settings_.tls.plain_loopback && transport->host_id() != settings_.host_id) {
    const std::string named = transport->host_id();
    transport.reset();
    system_.reset();
    return settings_.tls.certificate.native() + ": is for " + (named.empty() ? "no host" : named) +
           ", and host_id is " + settings_.host_id +
           "; give this host a certificate with the URI urn:cellos:host:" + settings_.host_id;
  }
  connector_ = std::make_unique<connector>(std::move(transport), settings_.forward.collectors);
  return {};
}

std::string forwarding_role::start_forwarding() {
  forwarding_service_settings wanted{
      settings_.host_id, settings_.evidence.dir, {}, settings_.forward.max_bytes_per_second};
  for (const collector_place& each : settings_.forward.collectors) {
    wanted.collectors.push_back(place_text(each.host, each.port));
  }
  auto opened = forwarding_service::open(
      wanted, {system_->actors(), *connector_, *events_, [this] { return committed_.position(); },
               [](segment_position) {}, [this] { return process_.nodes().cells(); }});
  service_ = std::move(opened.service);
  if (!service_) return opened.refusal;
  show(settings_.tls);
  return {};
}

void forwarding_role::show(const tls_settings& tls) {
  auto* const transport = &connector_->transport();
  process_.nodes().show(this, {.forwarder = [this] { return service_->shown(); },
                               .transport = [transport] { return transport_shown("host", transport->account()); },
                               .certificate =
                                   [transport, file = tls.certificate.native()] {
                                     return certificate_shown("host", file, transport->certificate_expires());
                                   }});
}

/// What is left goes on with the next start.
void forwarding_role::stop_forwarding() {
  // Until all of it is delivered it is worth looking at.
  if (!service_->drain(drain_timeout)) process_.events().forwarding_unfinished();
  process_.nodes().hide(this);
  service_->stop();
  service_.reset();
}

sign_of_life forwarding_role::check_liveness(std::chrono::nanoseconds timeout) {
  sign_of_life seen;
  if (!service_->status(std::chrono::ceil<std::chrono::milliseconds>(timeout))) {
    seen.problem = "The FORWARDER does not answer";
  }
  return seen;
}

std::vector<configuration_error> forwarding_role::prepare_reload(const configuration& read) {
  return check_certificates(process_, read.tls, transport_side::host);
}

void forwarding_role::take_over(const configuration& read, reload_report&) {
  take_over_certificates(process_, read.tls,
                         [this](const tls_settings& tls) { return connector_->transport().reload(tls); });
  show(read.tls);
}

}  // namespace cellos
