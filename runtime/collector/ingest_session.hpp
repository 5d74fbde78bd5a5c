#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "messages/peer_identity.hpp"
#include "runtime/collector/collector_events.hpp"
#include "runtime/collector/collector_interfaces.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/ingest.hpp"

namespace cellos {

/// What all sessions of a collector use. All of it must outlive them.
struct ingest_environment {
  collector_store& store;
  commit_queue& commits;
  collector_events& events;
  ingest_limits limits;
};

struct ingest_session_state {
  static constexpr const char* name = "collector.session";
  ingest_session_state() = default;

  using promise = caf::typed_response_promise<std::vector<char>>;

  peer_identity peer;
  collector_actor supervisor;
  const ingest_environment* environment = nullptr;
  std::optional<ingest> protocol;
  /// Once the supervisor has admitted it.
  host_account_ptr account;
  caf::strong_actor_ptr forwarder;
  /// Requests whose answer waits for the disk.
  std::map<std::uint64_t, promise> waiting;
  std::uint64_t last_token = 0;
  monotonic_time last_heard{};
};

/// INGEST of one authenticated connection. It ends with the forwarder that greeted it, with the supervisor, and where
/// nobody says anything.
ingest_session_actor::behavior_type make_ingest_session(
    ingest_session_actor::stateful_pointer<ingest_session_state> self, peer_identity peer, collector_actor supervisor,
    const ingest_environment& environment);

/// For the listener, on any thread: the session of a connection whose peer is known.
caf::strong_actor_ptr spawn_ingest_session(caf::actor_system& system, const peer_identity& peer,
                                           const collector_actor& supervisor, const ingest_environment& environment);

}  // namespace cellos
