#pragma once

#include <string>

namespace cellos {

/// Who is at the other end of an authenticated connection.
struct peer_identity {
  /// As its certificate says.
  std::string host_id;
  /// For people: where it connected from.
  std::string address;
};

}  // namespace cellos
