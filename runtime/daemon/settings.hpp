#pragma once

#include "actors/events.hpp"
#include "actors/log_share.hpp"
#include "runtime/configuration/configuration.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/socket_service/socket_service.hpp"

/// What the parts are given, from what the file says.
namespace cellos {

segment_log_options log_options_of(const evidence_configuration& evidence);
/// Each cell's share of the evidence log; never less than 256 KiB, or than half of a log that is small.
log_share_limits share_of(const evidence_configuration& evidence);
/// Where each event costs a signature, a chunk is small: what is read and not yet signed is bounded by what it costs.
socket_service_options socket_options_of(const intake_configuration& intake, const signing_configuration& signing);
/// Threads that run actors where `configured` is 0. Two more than cores: a handler that hangs, or waits for a disk,
/// holds its thread, and the other cells' actors still find one a core.
std::size_t actor_threads(std::uint32_t configured, std::size_t cores);

log_format format_of(const log_configuration& log);
spdlog::level::level_enum level_of(const log_configuration& log);

}  // namespace cellos
