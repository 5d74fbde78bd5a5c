#pragma once

#include <cstdint>
#include <string>

#include "messages/segment_position.hpp"

/// What those who deliver a log to a receiver that is no collector (a stream, an HTTP service) have to say.
namespace cellos {

/// Something that an operator wants to know.
struct receiver_note {
  enum class kind : std::uint8_t {
    reached,
    lost,
    /// It takes nothing for now, and why; tried again.
    refuses,
    /// What it has is no beginning of this log: the line before `from` is another one.
    forked,
    /// Lines from `from` to `to` were removed here before it had them.
    lines_undelivered,
    /// Lines from `from` to `to` were removed here so soon after it had acknowledged them that it may still lose them.
    removed_early,
    unreadable_log,
    /// It will not take the line at `from`; nothing is sent any more.
    stopped,
    /// The line at `from` was left out, as configured.
    line_skipped,
  };

  kind what = kind::reached;
  std::string cause{};
  segment_position from{};
  segment_position to{};
};

/// Where a delivery is.
struct receiver_status {
  bool is_reached = false;
  bool is_stopped = false;
  /// All that is committed is delivered, as the receiver itself said.
  bool is_complete = false;
  /// What is before it the receiver has, as far as is known.
  segment_position delivered;
  /// What is to be sent next follows this.
  segment_position sent;
  segment_position committed;
  std::uint64_t lines_delivered = 0;
  std::uint64_t bytes_delivered = 0;
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t lines_in_flight = 0;
  /// Times that lines had been removed before they were delivered.
  std::uint64_t gaps = 0;
};

}  // namespace cellos
