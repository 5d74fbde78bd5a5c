#pragma once

#include <system_error>

namespace cellos {

/// Why the log refuses lines when the operating system does not.
enum class evidence_errc {
  /// `max_bytes` is used up and every older segment is still needed. Equals std::errc::no_space_on_device.
  limit_reached = 1,
  /// Another directory, or none, is where ours was.
  directory_displaced = 2,
};

const std::error_category& evidence_category();

inline std::error_code make_error_code(evidence_errc code) { return {static_cast<int>(code), evidence_category()}; }

}  // namespace cellos

template <>
struct std::is_error_code_enum<cellos::evidence_errc> : std::true_type {};
