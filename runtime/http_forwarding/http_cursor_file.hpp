#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "runtime/http_forwarding/http_delivery.hpp"

namespace cellos {

/// What a delivery over HTTP keeps beside the log: `delivered-over-http`. A receiver cannot be asked how far it is, so
/// that a start goes on from here, and what was delivered after it was written is delivered again.
struct http_mark {
  http_cursor reached;
  /// As configured: of another receiver nothing is remembered.
  std::string url;

  bool operator==(const http_mark&) const = default;
};

/// Nothing where there is none, or none that can be read.
std::optional<http_mark> read_http_mark(const std::filesystem::path& dir);
/// Replaces it: a loss of power leaves this one or the one before.
std::error_code write_http_mark(const std::filesystem::path& dir, const http_mark& mark);

}  // namespace cellos
