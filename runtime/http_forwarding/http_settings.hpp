#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cellos {

/// `[forward.http]`: an HTTP service that takes CloudEvents.
struct http_settings {
  /// `https://`, or `http://` on loopback. Empty: nothing is delivered.
  std::string url;
  /// Many events a request, in CloudEvents' batched mode, which a receiver has to have asked for.
  bool batched = false;
  /// Bytes of lines in one request that has many. Default: chosen here, as collectors get them.
  std::uint64_t batch_bytes = std::uint64_t{256} << 10;
  /// Empty: the system's authorities.
  std::filesystem::path ca_file;
  /// A client's own certificate, with its key.
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  /// Its first line is sent as `Authorization`, and goes nowhere else.
  std::filesystem::path authorization_file;
  /// Ids of events that are left out, because the receiver will never take them.
  std::vector<std::string> skip;

  bool operator==(const http_settings&) const = default;
};

}  // namespace cellos
