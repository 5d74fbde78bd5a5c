#include "runtime/daemon/liveness_check.hpp"

namespace cellos {

sign_of_life check_liveness(caf::actor_system& system, const host_supervisor_actor& host, socket_service& sockets,
                            std::chrono::nanoseconds timeout) {
  sign_of_life seen;
  caf::scoped_actor self{system};
  self->request(host, caf::duration{std::chrono::ceil<std::chrono::milliseconds>(timeout)}, alive_atom::value)
      .receive([&](std::uint64_t cells) { seen.cells = cells; },
               [&](const caf::error&) { seen.problem = "The HOST SUPERVISOR does not answer"; });
  if (seen.problem.empty() && !sockets.answers_within(timeout)) seen.problem = "The I/O thread does not answer";
  return seen;
}

}  // namespace cellos
