#pragma once

#include <caf/actor_addr.hpp>
#include <caf/default_attachable.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <exception>

/// How supervisors and their children hang together.
///
/// Not by CAF's links: a link passes `exit_reason::kill` on in both directions and no handler can stop it, so one
/// killed child would end the whole host. A supervisor monitors its children to replace them; children monitor their
/// supervisor to end with it.
namespace cellos {

/// A bug in a handler ends this actor and nothing else: whoever monitors it sees why. (CAF's own handler prints.)
inline void die_of_exceptions(caf::scheduled_actor* self) {
  self->set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr&) -> caf::error { return caf::sec::runtime_error; });
}

/// For a child that monitors nobody but its supervisor.
inline void end_with_supervisor(caf::scheduled_actor* self) {
  self->set_down_handler(
      [](caf::scheduled_actor* orphan, caf::down_msg&) { orphan->quit(caf::exit_reason::user_shutdown); });
}

/// Makes `child`, which `supervisor` has spawned monitored, hear of the supervisor's end.
template <class Handle>
Handle monitor_child(caf::scheduled_actor* supervisor, Handle child) {
  supervisor->attach(caf::default_attachable::make_monitor(supervisor->address(), child->address()));
  return child;
}

/// Undoes `monitor_child` once the child is dead.
inline void unmonitor_child(caf::scheduled_actor* supervisor, const caf::actor_addr& child) {
  supervisor->detach(caf::default_attachable::observe_token{child, caf::default_attachable::monitor});
}

}  // namespace cellos
