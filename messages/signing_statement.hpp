#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cellos {

/// How a chain is vouched for, as its first event says: so that what is missing from it is missed.
struct signing_statement {
  enum class kind : std::uint8_t {
    /// Neither digests nor signatures.
    off,
    /// Digests only.
    digests,
    /// A signature at least every `events` events, and after `interval`.
    checkpoint,
    /// Each event is signed.
    event,
  };

  kind mode = kind::off;
  // Of mode `checkpoint`; zero otherwise.
  std::uint64_t events = 0;
  std::chrono::nanoseconds interval{0};

  bool operator==(const signing_statement&) const = default;
};

constexpr std::string_view to_string(signing_statement::kind mode) {
  switch (mode) {
    case signing_statement::kind::off: return "off";
    case signing_statement::kind::digests: return "digest";
    case signing_statement::kind::checkpoint: return "checkpoint";
    case signing_statement::kind::event: return "event";
  }
  return "off";
}

/// The mode spelled exactly so, or nothing.
constexpr std::optional<signing_statement::kind> parse_signing_mode(std::string_view spelling) {
  using kind = signing_statement::kind;
  for (const kind each : {kind::off, kind::digests, kind::checkpoint, kind::event}) {
    if (to_string(each) == spelling) return each;
  }
  return std::nullopt;
}

/// `{"mode":"event"}`, `{"events":"1000","intervalNs":"1000000000","mode":"checkpoint"}` and so on.
void append_statement(std::string& out, const signing_statement& statement);

}  // namespace cellos
