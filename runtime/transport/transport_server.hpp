#pragma once

#include <caf/fwd.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "messages/instants.hpp"
#include "messages/peer_identity.hpp"
#include "runtime/transport/current_tls_context.hpp"
#include "runtime/transport/handshake_front.hpp"
#include "runtime/transport/open_connection.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

/// Starts the actor that serves one authenticated peer, on the transport's thread: quickly, and null to refuse it. The
/// peer is given this actor and nothing else. When the connection ends the actor is sent an exit message,
/// `remote_link_unreachable`; when the actor ends, the connection does, a second later.
using session_spawner = std::function<caf::strong_actor_ptr(const peer_identity&)>;

struct transport_server_settings {
  /// A name or an address without brackets, of this machine.
  std::string host;
  /// 0: one that is free.
  std::uint16_t port = 0;
  tls_settings tls{};
  server_limits limits{};
  session_spawner spawn;
  /// What the sessions understand: `system.message_types(handle)`.
  std::set<std::string> interface {};
};

/// Where hosts connect to a collector. Thread-safe. The system must have been made by configure_remoting().
class transport_server {
 public:
  using started = std::variant<std::unique_ptr<transport_server>, std::string>;

  /// Listens. The alternative is a sentence with the place or file, what is wrong and what to do.
  static started start(caf::actor_system& system, transport_server_settings settings);

  transport_server(const transport_server&) = delete;
  transport_server& operator=(const transport_server&) = delete;
  /// stop(). The spawner is not called any more.
  ~transport_server();

  /// New connections begin with these files; connections of hosts that are denied end. If something is wrong with the
  /// files, all stays as it is, and that is said.
  std::optional<std::string> reload(const tls_settings& tls);
  /// The same with the files it has, if one of them is another than when they were last looked at. Cheap: for a timer.
  std::optional<std::string> reload_if_changed();
  /// Nobody is accepted any more, and every connection ends: the sessions get their exit messages soon.
  void stop();

  std::uint16_t port() const { return port_; }
  transport_account account() const;
  /// None for plain connections.
  std::optional<wall_time> certificate_expires() const;

 private:
  transport_server(caf::actor_system& system, transport_server_settings settings,
                   std::unique_ptr<current_tls_context> tls, std::uint16_t port);
  void welcome(arrival who);

  caf::actor_system& system_;
  const transport_server_settings settings_;
  const std::unique_ptr<current_tls_context> tls_;
  const std::uint16_t port_;
  const std::shared_ptr<open_connections> connections_;
  std::mutex stopping_;
  std::unique_ptr<handshake_front> front_;
};

}  // namespace cellos
