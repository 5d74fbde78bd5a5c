#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cellos {

/// How a connection ended that CAF had. Enumerator and counter label are one word.
enum class connection_end : std::uint8_t {
  /// The peer closed it, or nothing came of it any more.
  lost,
  /// It was as old as a connection may be.
  aged,
  /// What served it had ended.
  session_ended,
  /// The peer took nothing of what was for it.
  unsent,
  /// The peer said what no peer may: see basp_violation.
  violated,
  /// A host of the deny-list.
  host_denied,
  /// The same node connected again.
  replaced,
  /// By this node: it stops, or uses another connection.
  closed_here,
};

inline constexpr std::size_t connection_end_kinds = 8;

constexpr std::string_view to_string(connection_end end) {
  switch (end) {
    case connection_end::lost: return "lost";
    case connection_end::aged: return "aged";
    case connection_end::session_ended: return "session_ended";
    case connection_end::unsent: return "unsent";
    case connection_end::violated: return "violated";
    case connection_end::host_denied: return "host_denied";
    case connection_end::replaced: return "replaced";
    case connection_end::closed_here: return "closed_here";
  }
  return "lost";
}

}  // namespace cellos
