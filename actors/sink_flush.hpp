#pragma once

#include <cstddef>

#include "actors/sink.hpp"

/// How a SINK's lines get into the log: its own appends, what the HOST CHAIN appends for it, and what waits for either.
/// A part of that actor; its own thread alone.
namespace cellos {

using sink_pointer = sink_actor::stateful_pointer<sink_state>;

/// Lines are written at the latest when this many wait: large enough to make write(2) cheap, small enough for the
/// cache.
inline constexpr std::size_t sink_flush_bytes = 512 * 1024;

/// Flushes behind the messages that are here already.
void schedule_flush(sink_pointer self);

/// Whether batches may become lines. Few wait behind those that the HOST CHAIN is at.
bool takes_more(const sink_state& state);

/// Serves batches, if there are any that may become lines.
void schedule_turn(sink_pointer self);

/// Writes what is pending, as far as it goes, then acknowledges and answers it. If the log takes nothing, a retry is
/// scheduled.
void flush(sink_pointer self);

void on_flush(sink_pointer self);
/// The HOST CHAIN was replaced.
void on_host_chain(sink_pointer self, const host_chain_actor& host_chain);

}  // namespace cellos
