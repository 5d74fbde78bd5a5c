#include "runtime/daemon/settings.hpp"

#include <algorithm>

namespace cellos {

log_share_limits share_of(const evidence_configuration& evidence) {
  // Some 300 declarations: in a small log a share of it would be nothing.
  constexpr std::uint64_t least = 256 * 1024;
  log_share_limits limits;
  if (evidence.cell_share == 0) return limits;
  limits.bytes = std::max(std::min(least, evidence.max_bytes / 2), evidence.max_bytes * evidence.cell_share / 100);
  limits.interval = evidence.cell_share_interval;
  return limits;
}

socket_service_options socket_options_of(const socket_service_options& intake, const signing_settings& signing) {
  // Some 60 declarations, and 2 ms of signing. Chosen here.
  constexpr std::size_t signed_read_bytes = 4096;
  const bool costly = signing.alg.algorithm && *signing.alg.algorithm != signing_algorithm::hmac_sha256;
  socket_service_options options = intake;
  if (costly && signing.mode == signing_statement::kind::event) options.read_bytes = signed_read_bytes;
  return options;
}

std::size_t actor_threads(std::uint32_t configured, std::size_t cores) {
  constexpr std::size_t spare = 2;
  return configured == 0 ? cores + spare : configured;
}

}  // namespace cellos
