#pragma once

#include "messages/guest_declaration.hpp"
#include "messages/host_stamp.hpp"
#include "messages/instants.hpp"

namespace cellos {

/// A declaration with the host's attribution beside it: the only thing that is rendered as a declaration, and only
/// stamp() makes one. Borrows from both; lives as long as the batch it came from.
class stamped_declaration final {
 public:
  const host_stamp& attribution() const { return attribution_; }
  /// When the host read the bytes, never when the guest says it sent them.
  wall_time host_received_at() const { return host_received_at_; }
  const guest_declaration& declared() const { return declared_; }

 private:
  friend constexpr stamped_declaration stamp(const guest_declaration& declared, const host_stamp& attribution,
                                             wall_time host_received_at);
  constexpr stamped_declaration(const guest_declaration& declared, const host_stamp& attribution,
                                wall_time host_received_at)
      : attribution_(attribution), host_received_at_(host_received_at), declared_(declared) {}

  const host_stamp& attribution_;
  wall_time host_received_at_;
  const guest_declaration& declared_;
};

/// The only way to make a stamped declaration: attribution verbatim from the host, the four fields verbatim from the
/// guest.
constexpr stamped_declaration stamp(const guest_declaration& declared, const host_stamp& attribution,
                                    wall_time host_received_at) {
  return {declared, attribution, host_received_at};
}
// What is gone at the end of the statement cannot be borrowed from.
stamped_declaration stamp(const guest_declaration&& declared, const host_stamp& attribution, wall_time) = delete;
stamped_declaration stamp(const guest_declaration& declared, const host_stamp&& attribution, wall_time) = delete;
stamped_declaration stamp(const guest_declaration&& declared, const host_stamp&& attribution, wall_time) = delete;

}  // namespace cellos
