#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/node_codec.hpp"
#include "messages/node_message.hpp"
#include "runtime/transport/transport_settings.hpp"
#include "tests/runtime/transport/raw_peer.hpp"

namespace cellos::test {

/// A host's end of a connection to a collector, spoken by hand: TLS, BASP and our messages, without CAF and one request
/// at a time. For hosts by the thousand, and for those that say what no forwarder would.
class basp_host {
 public:
  /// Shakes hands. `number` makes the node's id: each connection needs another. `files`: as raw_peer's.
  basp_host(std::uint16_t port, const tls_settings& files, std::uint64_t number);

  /// Whether the collector has given it a session.
  bool is_welcome() const { return session_ != 0; }
  /// The answer; nothing if the collector closed instead. Waits as long as it takes.
  std::optional<node_welcome> greet(const node_hello& hello);
  std::optional<node_answer> deliver(const node_lines& lines);
  void say_alive(const node_alive& alive);
  /// Keeps the connection; what the collector has said meanwhile is dropped.
  void beat();
  bool closed_within(std::chrono::milliseconds limit) { return peer_.closed_within(limit); }

  /// Bytes of whatever one likes, behind the handshake.
  void send(const std::string& bytes) { peer_.send(bytes); }
  /// One message to the session, `types` as CAF names them: `@<>+@atom+@charbuf`.
  std::string request(std::string_view types, std::string_view values);

 private:
  std::optional<std::vector<char>> ask(const std::string& message);
  bool fill(std::size_t bytes);
  std::string take(std::size_t bytes);

  raw_peer peer_;
  std::string came_;
  std::uint64_t session_ = 0;
  std::uint64_t asked_ = 0;
};

/// A hello of a log that has nothing yet and begins with its first segment.
node_hello first_hello(std::string host_id);

/// `count` lines of so many bytes each, as the next of a log that ends at `at`; `text` keeps them.
node_lines lines_at(segment_position at, std::size_t count, std::size_t bytes, std::string& text);

}  // namespace cellos::test
