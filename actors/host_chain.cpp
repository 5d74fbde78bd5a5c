// HOST CHAIN: the one who appends what the host's own chain says. In: lines of runs with what is to be said of them,
// from SINKs; statements alone, from whoever keeps the log within its limits, by way of the HOST SUPERVISOR. Out: one
// append, and its outcome to whoever asked. What the log refuses never happened: it is asked for again, by number, so
// that it is in the log once whoever died meanwhile. What must survive this actor's death is in `host_event_chain`.

#include "actors/host_chain.hpp"

#include "actors/supervision.hpp"

namespace cellos {

namespace {

using host_chain_pointer = host_chain_actor::stateful_pointer<host_chain_state>;

append_outcome on_append(host_chain_pointer self, const joint_append& what) {
  const activity::mark busy{*self->state.activity};
  return {self->state.chain->append(what)};
}

}  // namespace

host_chain_actor::behavior_type make_host_chain(host_chain_pointer self, host_event_chain* chain,
                                                const host_environment& host) {
  die_of_exceptions(self);
  end_with_supervisor(self);
  self->state.chain = chain;
  self->state.activity = host.activities.enter("HOST CHAIN", "", self->address());
  return {
      [self](append_atom, const joint_append_ptr& what) { return on_append(self, *what); },
      [self](rekey_atom, const event_sealing_ptr& sealing) { self->state.chain->change_key(sealing); },
  };
}

}  // namespace cellos
