#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/instants.hpp"

namespace cellos {

/// What the file name of a quarantined chunk says of it.
struct quarantine_name {
  std::string cell_id;
  /// When it was received, to the millisecond.
  wall_time received_at{};
  /// The chunk's sequence within its cell.
  std::uint64_t sequence = 0;
};

/// `<cell>-<milliseconds since 1970>-<chunk>.bin`.
std::string to_string(const quarantine_name& name);

/// Nothing if `file_name` is not of this form.
std::optional<quarantine_name> parse_quarantine_name(std::string_view file_name);

}  // namespace cellos
