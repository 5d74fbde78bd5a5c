#pragma once

#include <caf/all.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "actors/node_interfaces.hpp"
#include "messages/host_status.hpp"
#include "messages/node_message.hpp"
#include "messages/peer_identity.hpp"
#include "runtime/collector/host_account.hpp"

/// A collector's actors: the COLLECTOR SUPERVISOR, and an INGEST for each connection.
namespace cellos {

using enter_atom = caf::atom_constant<caf::atom("enter")>;
using recall_atom = caf::atom_constant<caf::atom("recall")>;

/// A connection that has said whom it speaks for.
struct session_entry {
  peer_identity host;
  std::uint64_t boot_nonce = 0;
  caf::strong_actor_ptr session;
  /// Who greeted, at the host.
  caf::strong_actor_ptr forwarder;
};

struct session_admission {
  /// Null when refused.
  host_account_ptr account;
  node_refusal refusal = node_refusal::none;
};

/// COLLECTOR SUPERVISOR: which hosts there are, which session speaks for each, and whether it is heard.
using collector_actor = caf::typed_actor<
    // From an INGEST: may it speak for its host? One that another process speaks for is asked whether it lives, first.
    caf::replies_to<enter_atom, session_entry>::with<session_admission>,
    // Own timer: who was not heard for too long?
    caf::reacts_to<tick_atom>,
    // Hosts whose silence was reported before this process began, and not that it is over.
    caf::reacts_to<recall_atom, std::vector<std::string>>,
    // All hosts, by name.
    caf::replies_to<status_atom>::with<std::vector<host_status>>>;

/// What the thread that commits says to a session: this request's answer. It holds no type that could come from another
/// node.
struct settled_request {
  std::uint64_t token = 0;
  std::vector<char> answer;
  segment_position durable;
};

/// A session's own timer; no atom, which a peer could send as well.
struct session_timer {};

/// INGEST with what its own node says to it.
using ingest_session_actor = ingest_actor::extend<caf::reacts_to<settled_request>, caf::reacts_to<session_timer>>;

}  // namespace cellos

// Local messages only.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::session_entry)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::session_admission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<cellos::host_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::settled_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::session_timer)
