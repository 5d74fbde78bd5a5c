#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "messages/segment_position.hpp"

/// What a node's own chain says of other nodes' logs; each an event of its host's chain. Log ids and digests are
/// hexadecimal.
namespace cellos {

/// A collector heard this host for the first time.
struct seen_host {
  std::string host_id;

  bool operator==(const seen_host&) const = default;
};

/// Once in each silence.
struct silenced_host {
  std::string host_id;
  std::chrono::nanoseconds unheard_for{};
  std::chrono::nanoseconds window{};

  bool operator==(const silenced_host&) const = default;
};

/// The silence is over.
struct resumed_host {
  std::string host_id;

  bool operator==(const resumed_host&) const = default;
};

/// A log does not say what a collector kept of it. Both ends say so: the collector names the host and the copy that it
/// keeps from here on, the host its collector.
struct forked_history {
  /// Empty where the host says it of itself.
  std::string host_id;
  std::string log_id;
  /// Where the collector's copy ended: up to here it is not what the log says.
  segment_position at;
  /// Of a collector's word the new copy's directory, below that of all hosts; of the host's the collector, as its
  /// configuration names it.
  std::string where;

  bool operator==(const forked_history&) const = default;
};

/// A collector has the host's log up to here, durably.
struct witnessed_log {
  std::string host_id;
  std::string log_id;
  /// Of several copies that do not agree, which; 0: the first.
  std::uint32_t fork = 0;
  segment_position at;
  /// SHA-256 of the line that ends there, with its newline: what a log match compares.
  std::string digest;
  /// SHA-256 of all bytes of the segment from here to there: also what other chains than that line's say.
  std::uint64_t from = 0;
  std::string bytes_digest;

  bool operator==(const witnessed_log&) const = default;
};

using node_statement = std::variant<seen_host, silenced_host, resumed_host, forked_history, witnessed_log>;
/// There are few: what each run's begin and end is made of does not grow by them.
using node_statement_ptr = std::shared_ptr<const node_statement>;

}  // namespace cellos
