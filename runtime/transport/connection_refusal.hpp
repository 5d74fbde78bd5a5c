#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cellos {

/// Why a connection was refused before CAF saw it. Enumerator, counter label and log field are one word.
enum class connection_refusal : std::uint8_t {
  /// The peer showed none.
  no_certificate,
  /// A certificate that our authority did not issue.
  other_authority,
  expired,
  not_yet_valid,
  /// Not for this use alone: a collector's certificate shown by a host, or one for both.
  wrong_purpose,
  /// A host's certificate without exactly one `urn:cellos:host:<id>`.
  no_host_name,
  /// A host of the deny-list.
  host_denied,
  /// The collector's certificate is for other names. Only a connecting side sees it.
  other_name,
  /// No TLS, or none that the two sides have in common; or the peer refused our certificate.
  handshake_failed,
  handshake_timeout,
  /// Closed because others came to shake hands, and it was silent or slow.
  too_many_pending,
  /// The host, or all of them, have as many as they may.
  too_many_connections,
  /// Whoever starts the sessions did not want this one.
  session_refused,
  /// The system could not accept it, for want of descriptors or memory.
  not_accepted,
};

inline constexpr std::size_t connection_refusal_kinds = 14;

constexpr std::string_view to_string(connection_refusal refusal) {
  switch (refusal) {
    case connection_refusal::no_certificate: return "no_certificate";
    case connection_refusal::other_authority: return "other_authority";
    case connection_refusal::expired: return "expired";
    case connection_refusal::not_yet_valid: return "not_yet_valid";
    case connection_refusal::wrong_purpose: return "wrong_purpose";
    case connection_refusal::no_host_name: return "no_host_name";
    case connection_refusal::host_denied: return "host_denied";
    case connection_refusal::other_name: return "other_name";
    case connection_refusal::handshake_failed: return "handshake_failed";
    case connection_refusal::handshake_timeout: return "handshake_timeout";
    case connection_refusal::too_many_pending: return "too_many_pending";
    case connection_refusal::too_many_connections: return "too_many_connections";
    case connection_refusal::session_refused: return "session_refused";
    case connection_refusal::not_accepted: return "not_accepted";
  }
  return "handshake_failed";
}

}  // namespace cellos
