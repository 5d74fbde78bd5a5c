#pragma once

#include <caf/actor_control_block.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace cellos {

/// Makes connections to collectors. A seam: the transport in production, another actor of the same system in tests.
class collector_connector {
 public:
  /// The session at the other end; or null, and why not.
  using outcome_function = std::function<void(caf::strong_actor_ptr session, const std::string& failure)>;

  collector_connector() = default;
  collector_connector(const collector_connector&) = delete;
  collector_connector& operator=(const collector_connector&) = delete;
  virtual ~collector_connector() = default;

  /// To one of the configured collectors, by its place in their list. Returns at once; `outcome` is called once, by any
  /// thread. When the connection is gone, whoever monitors the session gets its down message.
  virtual void connect(std::size_t collector, outcome_function outcome) = 0;
  /// Nobody uses this session any more: its connection may be closed.
  virtual void hang_up(const caf::strong_actor_ptr& session) = 0;
};

}  // namespace cellos
