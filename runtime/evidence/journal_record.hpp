#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/chain_head.hpp"
#include "messages/signing_statement.hpp"
#include "runtime/segments/segment_name.hpp"

namespace cellos {

/// A chain as a journal's header has it.
struct journaled_chain {
  chain_head head;
  /// Nothing is ever appended to it again.
  bool closed = false;
  /// The segment that its last line is in.
  std::uint64_t segment = 0;
};

/// What a journal begins with: everything there is to know of the log up to `begin`.
struct journal_header {
  std::string host_id;
  signing_statement signing;
  /// The kernel's, so that a reboot is distinguished from a restart.
  std::string boot_id;
  /// The oldest segment that retention has not removed.
  std::uint64_t first_segment = 1;
  /// Of all chains of this directory so far.
  std::uint64_t highest_epoch = 0;
  segment_position begin;
  /// Durable by then.
  segment_position committed;
  /// Those that are open, and those that have lines in the segment of `begin`.
  std::vector<journaled_chain> chains;
};

/// One append, noted before it is made.
struct journal_record {
  /// Where its lines begin, and how long they are. No bytes: everything before `begin` was appended.
  segment_position begin;
  std::uint64_t bytes = 0;
  /// Durable by then.
  segment_position committed;
  std::vector<chain_head> heads;

  segment_position end() const { return {begin.segment, begin.offset + bytes}; }
};

/// One line, without its newline.
std::string to_text(const journal_header& header);
std::string to_text(const journal_record& record);

/// Nothing if `text` is not what the functions above make.
std::optional<journal_header> parse_journal_header(std::string_view text);
std::optional<journal_record> parse_journal_record(std::string_view text);

/// The epoch in a chain's name; 0 if it is no such name.
std::uint64_t epoch_of(std::string_view chain);

}  // namespace cellos
