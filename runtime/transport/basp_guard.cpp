#include "runtime/transport/basp_guard.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace cellos {
namespace {

// caf/io/basp/message_type.hpp, header.hpp and version.hpp of CAF 0.17.
enum operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
};
constexpr std::uint8_t named_receiver = 1;
constexpr std::uint8_t selects_connection = 2;
constexpr std::uint64_t basp_version = 3;

// caf/message_id.hpp.
constexpr std::uint64_t answer_bit = 1ULL << 63;
constexpr std::uint64_t answered_bit = 1ULL << 62;
constexpr std::uint64_t stream_bit = 1ULL << 61;
constexpr std::uint64_t request_bits = (1ULL << 60) - 1;

/// The atom 'SpawnServ': every CAF asks a new node for it by name, of its own accord. This one's is not in the registry
/// of names, so that CAF drops the question.
constexpr std::uint64_t spawn_server = 0x03ddd66f3376adfbULL;

constexpr std::uint32_t longest_control = 4096;
/// It names the interface of the server's actor.
constexpr std::uint32_t longest_handshake = 64U << 10;
/// What this node asks and who asks is forgotten, the oldest first, beyond what a lively client has open at once.
constexpr std::size_t most_remembered = 4096;

template <class Unsigned>
Unsigned big_endian(const char* from) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value << 8 | static_cast<unsigned char>(from[i]));
  }
  return value;
}

basp_node_id node_at(std::span<const char> from) {
  basp_node_id node;
  std::copy_n(from.begin(), node.size(), node.begin());
  return node;
}

template <class Set>
void keep_recent(Set& set) {
  if (set.size() > most_remembered) set.erase(set.begin());
}

}  // namespace

basp_guard::basp_guard(bool server, const basp_node_id& own, const basp_limits& limits)
    : server_(server), own_(own), limits_(limits), notices_left_(limits.notices) {}

basp_guard basp_guard::for_server(const basp_node_id& own, std::uint64_t session, const basp_limits& limits) {
  basp_guard guard{true, own, limits};
  guard.addressable_.insert(session);
  return guard;
}

basp_guard basp_guard::for_client(const basp_node_id& own, const basp_limits& limits) { return {false, own, limits}; }

basp_guard::header basp_guard::parse(std::span<const char, header_bytes> bytes) {
  return {.operation = static_cast<std::uint8_t>(bytes[0]),
          .flags = static_cast<std::uint8_t>(bytes[3]),
          .payload_bytes = big_endian<std::uint32_t>(&bytes[4]),
          .operation_bits = big_endian<std::uint64_t>(&bytes[8]),
          .source = big_endian<std::uint64_t>(&bytes[16]),
          .destination = big_endian<std::uint64_t>(&bytes[24]),
          .padded_with_zeros = bytes[1] == 0 && bytes[2] == 0};
}

std::optional<basp_violation> basp_guard::incoming(std::span<const char> bytes, monotonic_time now) {
  while (!bytes.empty()) {
    if (!in_payload_) {
      const auto part = bytes.first(std::min(bytes.size(), header_bytes - header_in_bytes_));
      std::ranges::copy(part, header_in_.begin() + static_cast<std::ptrdiff_t>(header_in_bytes_));
      header_in_bytes_ += part.size();
      bytes = bytes.subspan(part.size());
      if (header_in_bytes_ < header_bytes) continue;
      header_in_bytes_ = 0;
      now_ = parse(header_in_);
      if (const auto violation = begin(now_, now)) return violation;
      control_.clear();
      in_payload_ = now_.payload_bytes > 0;
      continue;
    }
    if (now_.operation == direct_message) {
      const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), payload_.left())));
      bytes = bytes.subspan(part.size());
      if (const auto violation = payload_.take(part)) return violation;
      if (payload_.left() > 0) continue;
      if (!payload_.whole()) return basp_violation::malformed_payload;
    } else {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), now_.payload_bytes - control_.size()));
      control_.insert(control_.end(), part.begin(), part.end());
      bytes = bytes.subspan(part.size());
      if (control_.size() < now_.payload_bytes) continue;
      if (const auto violation = end_control()) return violation;
    }
    in_payload_ = false;
  }
  return std::nullopt;
}

std::optional<basp_violation> basp_guard::begin(const header& next, monotonic_time now) {
  if (!next.padded_with_zeros) return basp_violation::malformed_header;
  switch (next.operation) {
    case server_handshake:
    case client_handshake: return begin_handshake(next);
    case routed_message: return basp_violation::routed_message;
    case direct_message:
    case monitor_message:
    case down_message:
    case heartbeat: break;
    default: return basp_violation::unknown_operation;
  }
  if (!peer_node_) return basp_violation::handshake_missing;
  return next.operation == direct_message ? begin_direct(next, now) : begin_control(next, now);
}

std::optional<basp_violation> basp_guard::begin_handshake(const header& next) {
  constexpr auto malformed = basp_violation::malformed_handshake;
  if (shaken_hands() || next.source != 0 || next.destination != 0) return malformed;
  if (server_) {
    // CAF's client shakes hands twice: when it connects, and when it takes the connection for its own. In another order
    // the routing table would hold a connection that it does not know.
    const auto flags = handshakes_ == 0 ? 0 : selects_connection;
    if (next.operation != client_handshake || next.flags != flags || next.operation_bits != 0) return malformed;
    return next.payload_bytes == sizeof(basp_node_id) ? std::nullopt : std::optional{malformed};
  }
  if (next.operation != server_handshake || next.flags != 0 || next.operation_bits != basp_version) return malformed;
  const bool fits = next.payload_bytes > sizeof(basp_node_id) && next.payload_bytes <= longest_handshake;
  return fits ? std::nullopt : std::optional{malformed};
}

std::optional<basp_violation> basp_guard::begin_control(const header& next, monotonic_time now) {
  constexpr auto malformed = basp_violation::malformed_header;
  if (next.flags != 0 || next.operation_bits != 0) return malformed;
  if (next.payload_bytes > longest_control) return basp_violation::oversized_message;
  constexpr std::uint32_t two_nodes = 2 * sizeof(basp_node_id);
  switch (next.operation) {
    case heartbeat:
      if (next.payload_bytes != 0 || next.source != 0 || next.destination != 0) return malformed;
      break;
    case monitor_message:
      if (next.payload_bytes != two_nodes || next.source != 0) return malformed;
      if (!may_be_addressed(next.destination)) return basp_violation::foreign_receiver;
      break;
    default:
      if (next.payload_bytes <= two_nodes || next.source == 0 || next.destination != 0) return malformed;
  }
  return notice(now);
}

std::optional<basp_violation> basp_guard::begin_direct(const header& next, monotonic_time now) {
  if (next.payload_bytes > limits_.message_bytes) return basp_violation::oversized_message;
  if (next.payload_bytes == 0 || next.destination == 0) return basp_violation::malformed_header;
  if ((next.flags & named_receiver) != 0) return begin_named(next, now);
  if (next.flags != 0 || (next.operation_bits & stream_bit) != 0) return basp_violation::malformed_header;
  const bool answer = (next.operation_bits & answer_bit) != 0;
  payload_ = {answer ? basp_payload::content::answer : basp_payload::content::message, next.payload_bytes};
  senders_.insert(next.source);
  if (senders_.size() > limits_.senders) return basp_violation::too_many_senders;
  if (answer) {
    const bool asked = asked_.erase({next.destination, next.operation_bits & request_bits}) > 0;
    return asked ? std::nullopt : std::optional{basp_violation::unasked_answer};
  }
  if (!may_be_addressed(next.destination)) return basp_violation::foreign_receiver;
  return (next.operation_bits & request_bits) != 0 ? begin_request(next) : notice(now);
}

std::optional<basp_violation> basp_guard::begin_named(const header& next, monotonic_time now) {
  if (next.destination != spawn_server) return basp_violation::named_receiver;
  // Not a request: CAF would answer one.
  const bool plain = next.flags == named_receiver && (next.operation_bits & (answer_bit | stream_bit)) == 0 &&
                     (next.operation_bits & request_bits) == 0;
  if (!plain || next.payload_bytes > longest_control) return basp_violation::malformed_header;
  payload_ = {basp_payload::content::message, next.payload_bytes};
  return notice(now);
}

std::optional<basp_violation> basp_guard::begin_request(const header& next) {
  if (next.source == 0 || (next.operation_bits & answered_bit) != 0) return basp_violation::malformed_header;
  const auto number = next.operation_bits & request_bits;
  if (!owed_.emplace(request{next.source, number}, next.payload_bytes).second) return basp_violation::malformed_header;
  owed_bytes_ += next.payload_bytes;
  const bool fits = owed_.size() <= limits_.requests && owed_bytes_ <= limits_.request_bytes;
  return fits ? std::nullopt : std::optional{basp_violation::too_many_requests};
}

std::optional<basp_violation> basp_guard::end_control() {
  if (now_.operation == server_handshake || now_.operation == client_handshake) return end_handshake();
  // From this peer to this node: CAF would pass others on.
  const std::span<const char> payload = control_;
  if (node_at(payload) != *peer_node_ || node_at(payload.subspan(sizeof(basp_node_id))) != own_) {
    return basp_violation::routed_message;
  }
  if (now_.operation != down_message) return std::nullopt;
  const auto reason = payload.subspan(2 * sizeof(basp_node_id));
  basp_payload error{basp_payload::content::error, reason.size()};
  if (const auto violation = error.take(reason)) return violation;
  return error.whole() ? std::nullopt : std::optional{basp_violation::malformed_payload};
}

std::optional<basp_violation> basp_guard::end_handshake() {
  const auto node = node_at(control_);
  constexpr std::size_t kind_bytes = 8;
  // Only ids of this node's kind have this length.
  if (!std::equal(own_.begin(), own_.begin() + kind_bytes, node.begin())) return basp_violation::malformed_handshake;
  if (node == own_ || (peer_node_ && node != *peer_node_)) return basp_violation::node_claimed;
  peer_node_ = node;
  ++handshakes_;
  return std::nullopt;
}

std::optional<basp_violation> basp_guard::notice(monotonic_time now) {
  if (last_notice_) {
    const std::chrono::duration<double> passed = now - *last_notice_;
    notices_left_ = std::min(limits_.notices, notices_left_ + passed.count() * limits_.notices_per_second);
  }
  last_notice_ = now;
  notices_left_ -= 1;
  return notices_left_ >= 0 ? std::nullopt : std::optional{basp_violation::too_many_notices};
}

void basp_guard::outgoing(std::span<const char> bytes) {
  while (!bytes.empty()) {
    if (payload_out_left_ > 0) {
      const auto skipped = std::min<std::uint64_t>(payload_out_left_, bytes.size());
      payload_out_left_ -= skipped;
      bytes = bytes.subspan(static_cast<std::size_t>(skipped));
      continue;
    }
    const auto part = bytes.first(std::min(bytes.size(), header_bytes - header_out_bytes_));
    std::ranges::copy(part, header_out_.begin() + static_cast<std::ptrdiff_t>(header_out_bytes_));
    header_out_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
    if (header_out_bytes_ < header_bytes) continue;
    header_out_bytes_ = 0;
    const auto next = parse(header_out_);
    payload_out_left_ = next.payload_bytes;
    if (next.operation == direct_message && (next.flags & named_receiver) == 0) sent(next);
  }
}

void basp_guard::sent(const header& next) {
  const auto number = next.operation_bits & request_bits;
  if ((next.operation_bits & answer_bit) != 0) {
    if (const auto owed = owed_.find({next.destination, number}); owed != owed_.end()) {
      owed_bytes_ -= owed->second;
      owed_.erase(owed);
    }
    return;
  }
  if (!server_ && next.source != 0) {
    addressable_.insert(next.source);
    keep_recent(addressable_);
  }
  if (number != 0) {
    asked_.insert({next.source, number});
    keep_recent(asked_);
  }
}

}  // namespace cellos
