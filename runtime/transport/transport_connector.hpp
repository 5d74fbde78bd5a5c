#pragma once

#include <atomic>
#include <caf/actor_addr.hpp>
#include <caf/fwd.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/transport/current_tls_context.hpp"
#include "runtime/transport/open_connection.hpp"
#include "runtime/transport/transport_settings.hpp"

namespace cellos {

struct transport_connector_settings {
  tls_settings tls{};
  connector_limits limits{};
  /// What collectors' sessions must understand; anything where empty.
  std::set<std::string> interface {};
};

/// Connects a host to collectors. Thread-safe; nothing here waits but the destructor. The system must have been made by
/// configure_remoting().
class transport_connector {
 public:
  using opened = std::variant<std::unique_ptr<transport_connector>, std::string>;
  /// The remote session, or a sentence with the place, what is wrong and what to do.
  using connected = std::variant<caf::strong_actor_ptr, std::string>;

  /// The alternative is a sentence with the file, what is wrong and what to do.
  static opened open(caf::actor_system& system, transport_connector_settings settings);

  transport_connector(const transport_connector&) = delete;
  transport_connector& operator=(const transport_connector&) = delete;
  /// Attempts end, their callbacks called, and so do all connections. Not from within a callback.
  ~transport_connector();

  /// Calls back once, from a thread of its own, within both deadlines; the callback must not wait for anything. Whoever
  /// is given a session monitors it: its end is the connection's. A node has one connection to a collector; an attempt
  /// while there is another ends that one, and fails.
  void connect(const collector_place& place, std::function<void(connected)> done);
  /// Ends the connection that this session was given by.
  void disconnect(const caf::strong_actor_ptr& session);

  /// New connections begin with these files. If something is wrong with them, all stays as it is, and that is said.
  std::optional<std::string> reload(const tls_settings& tls) { return tls_->reload(tls); }
  /// The same with the files it has, if one of them is another than when they were last looked at. Cheap: for a timer.
  std::optional<std::string> reload_if_changed() { return tls_->reload_if_changed(); }

  transport_account account() const { return connections_->counts.account(connections_->size()); }
  /// What this host's certificate calls it. Empty for plain connections.
  std::string host_id() const;
  /// None for plain connections.
  std::optional<wall_time> certificate_expires() const;

 private:
  struct attempt {
    std::atomic<bool> done{false};
    std::thread thread;
  };

  transport_connector(caf::actor_system& system, transport_connector_settings settings,
                      std::unique_ptr<current_tls_context> tls);
  connected try_to_connect(const collector_place& place);
  connected speak_basp(const collector_place& place, file_descriptor socket, std::shared_ptr<const tls_context> context,
                       ssl_ptr ssl, monotonic_time until);
  /// None once the collector has accepted this host.
  std::optional<std::string> shake(SSL* ssl, const collector_place& place, monotonic_time until);
  void forget_attempts(bool all);

  caf::actor_system& system_;
  const transport_connector_settings settings_;
  const std::unique_ptr<current_tls_context> tls_;
  /// Readable once the destructor runs.
  file_descriptor stop_;
  const std::shared_ptr<open_connections> connections_;
  std::mutex mutex_;
  std::list<attempt> attempts_;
  std::vector<std::pair<caf::actor_addr, std::weak_ptr<open_connection>>> sessions_;
};

}  // namespace cellos
