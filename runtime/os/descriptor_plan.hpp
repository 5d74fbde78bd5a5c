#pragma once

#include <cstddef>
#include <cstdint>

namespace cellos {

/// Of each HTTP server, however many descriptors there are.
inline constexpr std::size_t most_http_connections = 128;

/// How the descriptors that this process may have are shared out. What is in no share is the reserve: the evidence log
/// begins its next segment, the state file is written, and whoever accepts does so, whatever guests and clients hold.
struct descriptor_plan {
  /// Of cells: the sockets they listen on and their guests' connections.
  std::size_t guests = 0;
  /// Connections of each HTTP server.
  std::size_t http_connections = 0;
};

descriptor_plan plan_descriptors(std::uint64_t limit);

/// The soft limit of this process.
std::uint64_t descriptor_limit();

/// Raises the soft limit to the hard one, which is what an administrator means, and answers with the limit that counts.
std::uint64_t raise_descriptor_limit();

/// Connections a cell may hold where `cells` share `guests` descriptors, each listening on one of them; at least one.
constexpr std::size_t connection_share(std::size_t guests, std::size_t cells) {
  if (cells == 0) return guests;
  const std::size_t each = guests / cells;
  return each > 2 ? each - 1 : 1;
}

}  // namespace cellos
