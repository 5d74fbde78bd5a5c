#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "messages/chain_position.hpp"

/// What a start finds in the evidence log that an earlier process did not put there, or that is no longer there; each
/// an event of the host's chain.
namespace cellos {

/// A chain's place and the digest of the event there, as text; empty where the chain has no digests.
struct event_place {
  std::uint64_t sequence = 0;
  std::string digest;

  bool operator==(const event_place&) const = default;
};

/// Events that nothing of ours vouches for, and behind which the chain goes on.
struct adopted_range {
  std::string chain;
  std::uint64_t from = 0;
  event_place to;

  bool operator==(const adopted_range&) const = default;
};

/// Why a chain is never gone on with; the word in `host.v1.chain_abandoned`.
enum class abandon_cause : std::uint8_t {
  /// It ends before what was appended to it.
  cut_back,
  /// It had ended, and is not as it ended.
  was_closed,
  /// Nothing of ours began it.
  unknown_chain,
  /// Its events do not follow each other.
  broken,
};

constexpr std::string_view to_string(abandon_cause cause) {
  switch (cause) {
    case abandon_cause::cut_back: return "cut_back";
    case abandon_cause::was_closed: return "was_closed";
    case abandon_cause::unknown_chain: return "unknown_chain";
    case abandon_cause::broken: return "broken";
  }
  return "broken";
}

/// A sequence of 0: there is no such place.
struct abandoned_chain {
  std::string chain;
  abandon_cause cause{};
  event_place expected;
  event_place found;

  bool operator==(const abandoned_chain&) const = default;
};

/// Events that were appended and never made durable before the machine stopped.
struct lost_events {
  std::string chain;
  std::uint64_t expected_sequence = 0;
  std::uint64_t found_sequence = 0;

  bool operator==(const lost_events&) const = default;
};

/// Why a start cannot rely on what the process before it noted beside the log; the word in `host.v1.journal_unusable`.
enum class journal_trouble : std::uint8_t {
  absent,
  unauthentic,
  /// The log goes further than it, by our own signature: it is an earlier state of itself.
  behind,
  /// The log was written by a version that keeps no journal.
  former_version,
};

constexpr std::string_view to_string(journal_trouble trouble) {
  switch (trouble) {
    case journal_trouble::absent: return "absent";
    case journal_trouble::unauthentic: return "unauthentic";
    case journal_trouble::behind: return "behind";
    case journal_trouble::former_version: return "former_version";
  }
  return "absent";
}

/// A line of the log that is no event.
struct unreadable_line {
  std::string file;
  /// From 1.
  std::uint64_t line = 0;

  bool operator==(const unreadable_line&) const = default;
};

}  // namespace cellos
