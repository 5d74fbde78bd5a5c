#pragma once

#include "messages/guest_declaration.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// A declaration with the host's attribution beside it. Borrows from both; lives as long as the batch it came from.
struct stamped_declaration {
  const host_stamp& attribution;
  /// When the host read the bytes, never when the guest says it sent them.
  wall_time host_received_at;
  guest_declaration declared;
};

/// The only way to make a stamped declaration: attribution verbatim from the host, the four fields verbatim from the
/// guest.
inline stamped_declaration stamp(const guest_declaration& declared, const host_stamp& attribution,
                                 wall_time host_received_at) {
  return {attribution, host_received_at, declared};
}

}  // namespace cellos
