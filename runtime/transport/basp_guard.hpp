#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/transport/basp_payload.hpp"
#include "runtime/transport/basp_violation.hpp"

namespace cellos {

/// A node's id as BASP writes it: what kind of id, the process's number, 20 bytes.
using basp_node_id = std::array<char, 32>;

/// What one peer may take. Chosen here, for batches of at most 256 KiB of which eight are unanswered.
struct basp_limits {
  /// Of one message's payload.
  std::uint32_t message_bytes = 1U << 20;
  /// Actors of the peer: CAF keeps a proxy for each as long as the connection lasts.
  std::size_t senders = 64;
  /// Requests that this node has not answered yet, and the bytes of their payloads.
  std::size_t requests = 64;
  std::uint64_t request_bytes = 16U << 20;
  /// Messages that need no answer, heartbeats among them: at once, and then a second.
  double notices = 64;
  double notices_per_second = 16;
};

/// Stands between a peer's decrypted bytes and CAF, one for each connection; knows BASP as CAF 0.17 speaks it.
///
/// CAF believes what it reads: headers without payloads end the process, lengths are allocated unread, a message can
/// carry another node's name, any actor can be addressed by number, and an answer counts whoever sends it. So nothing
/// passes but: the handshake of the other side, heartbeats, monitoring of this connection's actor, news of the peer's
/// own ended actors, bounded messages to this connection's actor, and answers to what was asked of this very peer.
///
/// Pure: bytes and times in, violations out. Not for several threads at once.
class basp_guard {
 public:
  /// Where a client may speak to one actor of ours, the session that was given to it.
  static basp_guard for_server(const basp_node_id& own, std::uint64_t session, const basp_limits& limits);
  /// Where the server may speak to those actors of ours that have spoken to it.
  static basp_guard for_client(const basp_node_id& own, const basp_limits& limits);

  /// Before CAF sees these bytes. After a violation CAF must see none of them, and no later ones.
  std::optional<basp_violation> incoming(std::span<const char> bytes, monotonic_time now);
  /// After these bytes went to the peer: what it is asked and answered, and who asks.
  void outgoing(std::span<const char> bytes);

  bool is_server() const { return server_; }
  /// Whom the peer's handshake says it is.
  const std::optional<basp_node_id>& peer_node() const { return peer_node_; }
  /// The server's handshake has come, or all of the client's.
  bool shaken_hands() const { return handshakes_ == (server_ ? 2U : 1U); }

 private:
  static constexpr std::size_t header_bytes = 32;

  struct header {
    std::uint8_t operation = 0;
    std::uint8_t flags = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t operation_bits = 0;
    std::uint64_t source = 0;
    std::uint64_t destination = 0;
    /// The two bytes that nothing uses.
    bool padded_with_zeros = true;
  };
  /// An actor and the number of what it asked.
  using request = std::pair<std::uint64_t, std::uint64_t>;

  basp_guard(bool server, const basp_node_id& own, const basp_limits& limits);

  static header parse(std::span<const char, header_bytes> bytes);
  std::optional<basp_violation> begin(const header& next, monotonic_time now);
  std::optional<basp_violation> begin_handshake(const header& next);
  std::optional<basp_violation> begin_control(const header& next, monotonic_time now);
  std::optional<basp_violation> begin_direct(const header& next, monotonic_time now);
  std::optional<basp_violation> begin_named(const header& next, monotonic_time now);
  std::optional<basp_violation> begin_request(const header& next);
  std::optional<basp_violation> end_control();
  std::optional<basp_violation> end_handshake();
  std::optional<basp_violation> notice(monotonic_time now);
  bool may_be_addressed(std::uint64_t actor) const { return addressable_.contains(actor); }
  void sent(const header& next);

  bool server_;
  basp_node_id own_;
  basp_limits limits_;
  std::optional<basp_node_id> peer_node_;
  unsigned handshakes_ = 0;

  std::array<char, header_bytes> header_in_{};
  std::size_t header_in_bytes_ = 0;
  /// Of the message that is coming.
  header now_;
  bool in_payload_ = false;
  basp_payload payload_;
  /// A message that is short and looked at as a whole.
  std::vector<char> control_;

  std::array<char, header_bytes> header_out_{};
  std::size_t header_out_bytes_ = 0;
  std::uint64_t payload_out_left_ = 0;

  std::set<std::uint64_t> addressable_;
  std::set<std::uint64_t> senders_;
  /// What this node asked of the peer.
  std::set<request> asked_;
  /// What the peer asked of this node, with the bytes of it.
  std::map<request, std::uint64_t> owed_;
  std::uint64_t owed_bytes_ = 0;
  double notices_left_;
  std::optional<monotonic_time> last_notice_;
};

}  // namespace cellos
