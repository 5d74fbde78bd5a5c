#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "messages/node_message.hpp"
#include "messages/peer_identity.hpp"
#include "messages/segment_position.hpp"
#include "runtime/segments/copy_name.hpp"

namespace cellos {

/// A copy that was begun because the log contradicts the one before it.
struct begun_fork {
  copy_name name;
  /// Where the copy before it ended: up to there the log says something else.
  segment_position contradicted;
};

/// What a collector's operator can see. Thread-safe; what hosts say in it is to be escaped by whoever writes it down.
class collector_events {
 public:
  collector_events() = default;
  collector_events(const collector_events&) = delete;
  collector_events& operator=(const collector_events&) = delete;
  virtual ~collector_events() = default;

  /// A connection of this host was welcomed.
  virtual void host_connected(const peer_identity& host) = 0;
  virtual void host_refused(const peer_identity& host, node_refusal reason) = 0;
  /// Once in each silence.
  virtual void host_silenced(std::string_view host_id, std::chrono::nanoseconds unheard_for) = 0;
  virtual void host_resumed(std::string_view host_id) = 0;
  /// Two processes send as this host, and both live. The later one is refused.
  virtual void host_doubled(const peer_identity& refused) = 0;
  /// The host's log does not say what this collector kept of it; from here on it is kept beside.
  virtual void history_forked(std::string_view host_id, const begun_fork& fork) = 0;
  virtual void copy_failed(std::string_view host_id, const std::error_code& cause) = 0;
};

}  // namespace cellos
