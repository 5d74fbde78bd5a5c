#pragma once

#include <caf/actor_system_config.hpp>

#include <cstddef>

namespace cellos {

/// Has the system run actors on `threads` threads that share one queue, as CAF's own `sharing` does, but wakes a
/// further thread only where that gains something: when none is awake, or when what waits has waited for 0.5 ms; else
/// at most one, which stands by. Many cells that send a little each would else wake a thread for each message.
///
/// Whatever a handler does, a message is handled within three milliseconds as long as a thread is idle.
void use_shared_queue(caf::actor_system_config& config, std::size_t threads);

}  // namespace cellos
