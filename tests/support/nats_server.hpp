#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// A real nats-server with JetStream on loopback, with a port and a store of its own that stay when it is started
/// again.
class nats_server {
 public:
  /// `further`: more lines of its configuration.
  explicit nats_server(std::string further = {});

  void start();
  void kill();
  /// After a kill, as a loss of power leaves it: what came last is not on the disk.
  void cut_last_block(std::uintmax_t bytes) const;
  process& server() { return *server_; }

  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  std::filesystem::path store() const { return home_ / "store"; }

 private:
  temporary_directory home_;
  std::string further_;
  std::uint16_t port_ = 0;
  std::optional<process> server_;
};

struct stream_options {
  std::string name{};
  std::string subject{};
  std::chrono::nanoseconds duplicate_window{std::chrono::minutes{2}};
  /// 0: no limit. A full stream takes nothing.
  std::int64_t max_bytes = 0;
};

/// Make, or change, a stream. Throw where the server refuses.
void create_stream(const nats_server& server, const stream_options& stream);
void update_stream(const nats_server& server, const stream_options& stream);
/// Stores a message there, as somebody else would.
void publish(const nats_server& server, const std::string& subject, const std::string& content);

struct stream_content {
  struct message {
    std::uint64_t sequence = 0;
    std::string subject;
    std::string id;
    std::string content_type;
    std::string content;
  };
  std::vector<message> messages;

  /// All events, each as a line, in the order of the stream; an event of a batch is one.
  std::string lines() const;
};

stream_content read_stream(const nats_server& server, const std::string& name);

/// What a stream has of a log: "missing 0, doubled 0, out of order 0, foreign 0" is right.
std::string compare_lines(const std::string& log, const std::string& stream);

}  // namespace cellos::test
