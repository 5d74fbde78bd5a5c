#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "runtime/daemon/service_notifier.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos {

/// Asks the HOST SUPERVISOR, which needs a free thread of the scheduler to answer, and the I/O thread, each for at most
/// `timeout`. A SINK that waits for the disk is not asked: a new daemon would wait for the same disk.
sign_of_life check_liveness(caf::actor_system& system, const host_supervisor_actor& host, socket_service& sockets,
                            std::chrono::nanoseconds timeout);

}  // namespace cellos
