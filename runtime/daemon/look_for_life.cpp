#include "runtime/daemon/look_for_life.hpp"

namespace cellos {

sign_of_life look_for_life(caf::actor_system& system, const host_supervisor_actor& host, socket_service& sockets,
                           std::chrono::nanoseconds patience) {
  sign_of_life seen;
  caf::scoped_actor self{system};
  self->request(host, caf::duration{std::chrono::ceil<std::chrono::milliseconds>(patience)}, alive_atom::value)
      .receive([&](std::uint64_t cells) { seen.cells = cells; },
               [&](const caf::error&) { seen.problem = "The HOST SUPERVISOR does not answer"; });
  if (seen.problem.empty() && !sockets.answers_within(patience)) seen.problem = "The I/O thread does not answer";
  return seen;
}

}  // namespace cellos
