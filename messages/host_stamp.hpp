#pragma once

#include <memory>
#include <string>

namespace cellos {

/// Who a declaration belongs to, as the host knows it: the cell whose socket the bytes arrived on.
///
/// One stamp a run, shared by everything that run produces. The receive time is the chunk's, not the stamp's.
struct host_stamp {
  std::string host_id;
  std::string cell_id;
  std::string run_id;
  /// SHA-256 of the specification the cell was admitted under, as the orchestrator spells it; opaque to us.
  std::string spec_signature_hash;

  bool operator==(const host_stamp&) const = default;
};

using host_stamp_ptr = std::shared_ptr<const host_stamp>;

}  // namespace cellos
