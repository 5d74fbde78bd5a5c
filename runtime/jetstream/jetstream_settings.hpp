#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cellos {

/// What keeps a stream free of gaps, doubles and disorder: which sequence the server must have last to take a message.
enum class stream_fence : std::uint8_t {
  /// The whole stream's. This host alone writes to the stream; an event a message, many on their way at once.
  stream,
  /// That of this host's own subject. The stream is shared; many events a message, one message on its way at once.
  subject,
};

inline constexpr std::string_view to_string(stream_fence fence) {
  return fence == stream_fence::stream ? "stream" : "subject";
}

/// `[forward.jetstream]`: where the log is delivered to, and as whom.
struct jetstream_settings {
  /// `nats://HOST:PORT` (loopback alone) or `tls://HOST:PORT`, used in turn. Empty: nothing is delivered.
  std::vector<std::string> servers;
  std::string stream;
  /// What all subjects begin with: tokens between dots.
  std::string prefix = "cellos";
  stream_fence fence = stream_fence::stream;
  /// The server may lose for so long what it has acknowledged. Default: what a server without sync_interval needs, five
  /// times over.
  std::chrono::nanoseconds keep_after_ack = std::chrono::minutes{10};
  /// Whether the stream is made where there is none.
  bool create_stream = false;
  /// Empty: the system's authorities.
  std::filesystem::path ca_file;
  /// A client's own certificate, with its key.
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  /// A NATS credentials file: JWT and seed.
  std::filesystem::path credentials_file;
  std::string user;
  /// Its first line is the password.
  std::filesystem::path password_file;

  bool operator==(const jetstream_settings&) const = default;
};

}  // namespace cellos
