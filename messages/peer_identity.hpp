#pragma once

#include <string>

namespace cellos {

/// Who is at the other end of a connection between nodes.
struct peer_identity {
  /// What the peer's certificate says; empty where nothing vouches for it, as over plain loopback.
  std::string host_id;
  /// Where it connected from, address and port, as people write it.
  std::string address;
};

}  // namespace cellos
