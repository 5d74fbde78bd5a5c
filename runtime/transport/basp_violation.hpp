#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cellos {

/// What a peer said that no peer may. Ends its connection. Enumerator, counter label and log field are one word.
enum class basp_violation : std::uint8_t {
  /// Something came before the handshake.
  handshake_missing,
  /// A handshake that is not in its form, or comes too often, or is the other side's, or from another version of BASP.
  malformed_handshake,
  /// The peer calls itself by this node's id, or by that of somebody else's connection.
  node_claimed,
  /// A header that contradicts itself.
  malformed_header,
  /// An operation that BASP does not have.
  unknown_operation,
  /// A message in another node's name, or to another node.
  routed_message,
  /// An actor that is addressed by its name.
  named_receiver,
  /// An actor that is not this connection's.
  foreign_receiver,
  /// More bytes than a message may have.
  oversized_message,
  /// A payload that does not end where its content does, or whose lengths go beyond it.
  malformed_payload,
  /// A message that holds something else than atoms, numbers, texts and bytes.
  forbidden_content,
  /// An answer to what nobody asked.
  unasked_answer,
  /// More actors of one peer than may speak.
  too_many_senders,
  /// More requests, or bytes of them, than may be unanswered.
  too_many_requests,
  /// Messages that need no answer, faster than they may come.
  too_many_notices,
};

inline constexpr std::size_t basp_violation_kinds = 15;

constexpr std::string_view to_string(basp_violation violation) {
  switch (violation) {
    case basp_violation::handshake_missing: return "handshake_missing";
    case basp_violation::malformed_handshake: return "malformed_handshake";
    case basp_violation::node_claimed: return "node_claimed";
    case basp_violation::malformed_header: return "malformed_header";
    case basp_violation::unknown_operation: return "unknown_operation";
    case basp_violation::routed_message: return "routed_message";
    case basp_violation::named_receiver: return "named_receiver";
    case basp_violation::foreign_receiver: return "foreign_receiver";
    case basp_violation::oversized_message: return "oversized_message";
    case basp_violation::malformed_payload: return "malformed_payload";
    case basp_violation::forbidden_content: return "forbidden_content";
    case basp_violation::unasked_answer: return "unasked_answer";
    case basp_violation::too_many_senders: return "too_many_senders";
    case basp_violation::too_many_requests: return "too_many_requests";
    case basp_violation::too_many_notices: return "too_many_notices";
  }
  return "unknown_operation";
}

}  // namespace cellos
