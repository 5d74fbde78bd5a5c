#pragma once

#include <caf/fwd.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/transport/basp_guard.hpp"
#include "runtime/transport/open_connection.hpp"
#include "runtime/transport/tls_context.hpp"

namespace cellos {

/// A connection whose handshake is done, as CAF is given it.
struct basp_endpoint {
  /// Never blocks.
  file_descriptor socket;
  /// Keeps alive what `ssl` was made of. Both null for a plain connection.
  std::shared_ptr<const tls_context> context;
  ssl_ptr ssl;
  std::shared_ptr<open_connection> connection;
  std::size_t unsent_bytes = 0;
  basp_limits limits{};
};

/// This node's id as BASP writes it.
basp_node_id own_basp_node(caf::actor_system& system);

/// Has CAF speak to the client there. All it is ever given is `session`, of this interface. Returns at once.
void offer_session(caf::actor_system& system, basp_endpoint endpoint, const caf::strong_actor_ptr& session,
                   std::set<std::string> interface);

/// Has CAF speak to the server there, and waits until it gives its session; the alternative says why it did not.
/// `interface`: what the session must understand; anything where empty.
std::variant<caf::strong_actor_ptr, std::string> await_session(caf::actor_system& system, basp_endpoint endpoint,
                                                               std::uint16_t port, std::chrono::milliseconds limit,
                                                               const std::set<std::string>& interface);

}  // namespace cellos
