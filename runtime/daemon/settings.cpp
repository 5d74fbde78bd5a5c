#include "runtime/daemon/settings.hpp"

#include <algorithm>

namespace cellos {

segment_log_options log_options_of(const evidence_configuration& evidence) {
  segment_log_options options;
  options.dir = evidence.dir;
  options.max_bytes = evidence.max_bytes;
  options.segment_bytes = evidence.segment_bytes;
  options.fsync_interval = evidence.fsync.interval;
  options.removal = removal_policy::on_record;
  switch (evidence.fsync.when) {
    case fsync_setting::kind::always: options.fsync = fsync_policy::always; break;
    case fsync_setting::kind::interval: options.fsync = fsync_policy::interval; break;
    case fsync_setting::kind::never: options.fsync = fsync_policy::never; break;
  }
  return options;
}

log_share_limits share_of(const evidence_configuration& evidence) {
  // Some 300 declarations: in a small log a share of it would be nothing.
  constexpr std::uint64_t least = 256 * 1024;
  log_share_limits limits;
  if (evidence.cell_share == 0) return limits;
  limits.bytes = std::max(std::min(least, evidence.max_bytes / 2), evidence.max_bytes * evidence.cell_share / 100);
  limits.interval = evidence.cell_share_interval;
  return limits;
}

socket_service_options socket_options_of(const intake_configuration& intake, const signing_configuration& signing) {
  // Some 60 declarations, and 2 ms of signing. Chosen here.
  constexpr std::size_t signed_read_bytes = 4096;
  using algorithm = signing_configuration::algorithm;
  const bool costly = signing.alg == algorithm::ed25519 || signing.alg == algorithm::ecdsa_p256_sha256;
  socket_service_options options;
  options.chunks_per_cell = intake.chunks_per_cell;
  options.byte_budget = intake.byte_budget;
  options.connections_per_cell = intake.connections_per_cell;
  options.half_frame_timeout = intake.half_frame_timeout;
  if (costly && signing.mode == signing_configuration::rate::event) options.read_bytes = signed_read_bytes;
  return options;
}

std::size_t actor_threads(std::uint32_t configured, std::size_t cores) {
  constexpr std::size_t spare = 2;
  return configured == 0 ? cores + spare : configured;
}

log_format format_of(const log_configuration& log) {
  return log.format == log_configuration::form::json ? log_format::json : log_format::text;
}

spdlog::level::level_enum level_of(const log_configuration& log) {
  switch (log.level) {
    case log_configuration::severity::trace: return spdlog::level::trace;
    case log_configuration::severity::debug: return spdlog::level::debug;
    case log_configuration::severity::info: return spdlog::level::info;
    case log_configuration::severity::warn: return spdlog::level::warn;
    case log_configuration::severity::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace cellos
