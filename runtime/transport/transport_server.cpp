#include "runtime/transport/transport_server.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/exit_reason.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/send.hpp>
#include <chrono>
#include <random>
#include <utility>

#include "runtime/transport/basp_connection.hpp"
#include "runtime/transport/remoting.hpp"

namespace cellos {
namespace {

/// For what an ended session still had to answer.
constexpr std::chrono::seconds after_session{1};

/// Hosts that connected together must not be let go together.
monotonic_time::duration with_jitter(std::chrono::milliseconds age) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::chrono::duration<double, std::milli> jittered =
      age * std::uniform_real_distribution<double>{0.9, 1.0}(random);
  return std::chrono::duration_cast<monotonic_time::duration>(jittered);
}

}  // namespace

transport_server::started transport_server::start(caf::actor_system& system, transport_server_settings settings) {
  auto found = resolve(settings.host, settings.port);
  if (const auto* why = std::get_if<std::string>(&found)) {
    return place_text(settings.host, settings.port) + ": " + *why + "; name an address of this machine to listen on";
  }
  const auto& address = std::get<0>(found).front();
  if (settings.tls.plain_loopback && !address.is_loopback()) {
    return address.text() + ": plain TCP is for loopback addresses alone; configure a certificate, or listen on " +
           "127.0.0.1 or ::1";
  }
  auto tls = current_tls_context::open(settings.tls, transport_side::collector);
  if (auto* why = std::get_if<std::string>(&tls)) return std::move(*why);
  auto listener = listen_on(address);
  if (auto* why = std::get_if<std::string>(&listener)) return std::move(*why);
  auto socket = std::get<0>(std::move(listener));
  close_named_actors(system);
  const auto port = address_of(socket.get()).port();
  std::unique_ptr<transport_server> server{
      new transport_server{system, std::move(settings), std::get<0>(std::move(tls)), port}};
  server->front_ = std::make_unique<handshake_front>(
      std::move(socket), *server->tls_, server->settings_.limits, server->connections_->counts,
      [&server = *server](arrival who) { server.welcome(std::move(who)); });
  return server;
}

transport_server::transport_server(caf::actor_system& system, transport_server_settings settings,
                                   std::unique_ptr<current_tls_context> tls, std::uint16_t port)
    : system_(system),
      settings_(std::move(settings)),
      tls_(std::move(tls)),
      port_(port),
      connections_(std::make_shared<open_connections>()) {}

transport_server::~transport_server() { stop(); }

void transport_server::stop() {
  const std::lock_guard lock{stopping_};
  front_.reset();
  connections_->shut_all();
}

std::optional<std::string> transport_server::reload(const tls_settings& tls) {
  if (auto why = tls_->reload(tls)) return why;
  if (const auto context = tls_->get()) {
    connections_->shut_hosts([&](const std::string& host_id) { return context->denies(host_id); });
  }
  return std::nullopt;
}

std::optional<std::string> transport_server::reload_if_changed() { return tls_->reload_if_changed(); }

transport_account transport_server::account() const { return connections_->counts.account(connections_->size()); }

std::optional<wall_time> transport_server::certificate_expires() const {
  const auto context = tls_->get();
  if (!context) return std::nullopt;
  return context->expires();
}

void transport_server::welcome(arrival who) {
  auto& counts = connections_->counts;
  const auto& limits = settings_.limits;
  const bool plain = !who.context;
  const auto until = std::chrono::steady_clock::now() + with_jitter(limits.connection_age);
  // Known once it is started, and not before there is room for its connection.
  const auto session = std::make_shared<caf::strong_actor_ptr>();
  const auto connection =
      connections_->add(who.socket.get(), who.host_id, until,
                        [session] {
                          if (*session) caf::anon_send_exit(*session, caf::exit_reason::remote_link_unreachable);
                        },
                        {limits.connections, plain ? limits.connections : limits.connections_per_host});
  if (!connection) return counts.count(connection_refusal::too_many_connections);
  *session = settings_.spawn({who.host_id, who.address});
  if (!*session) return counts.count(connection_refusal::session_refused);
  (*session)->get()->attach_functor([ended = std::weak_ptr{connection}](const caf::error&) {
    if (const auto still_there = ended.lock()) still_there->end_by(std::chrono::steady_clock::now() + after_session);
  });
  ++counts.welcomed;
  offer_session(system_,
                {.socket = std::move(who.socket),
                 .context = std::move(who.context),
                 .ssl = std::move(who.ssl),
                 .connection = connection,
                 .unsent_bytes = limits.unsent_bytes,
                 .limits = limits.basp},
                *session, settings_.interface);
}

}  // namespace cellos
