#pragma once

#include <cstddef>
#include <cstdint>

#include "actors/log_share.hpp"
#include "runtime/configuration/configuration.hpp"

/// What a part is given that follows from more than one table of the file, or from the host.
namespace cellos {

/// Each cell's share of the evidence log; never less than 256 KiB, or than half of a log that is small.
log_share_limits share_of(const evidence_configuration& evidence);
/// Where each event costs a signature, a chunk is small: what is read and not yet signed is bounded by what it costs.
socket_service_options socket_options_of(const socket_service_options& intake, const signing_settings& signing);
/// Threads that run actors where `configured` is 0. Two more than cores: a handler that hangs, or waits for a disk,
/// holds its thread, and the other cells' actors still find one a core.
std::size_t actor_threads(std::uint32_t configured, std::size_t cores);

}  // namespace cellos
