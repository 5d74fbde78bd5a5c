#pragma once

#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <exception>

namespace cellos {

/// A bug in a handler ends this actor and nothing else: whoever monitors it sees why. (CAF's own handler prints.)
inline void die_of_exceptions(caf::scheduled_actor* self) {
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
    return caf::sec::runtime_error;
  });
}

}  // namespace cellos
