#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/recovery_event.hpp"
#include "runtime/evidence/journal_record.hpp"
#include "runtime/signing/journal_mac.hpp"

namespace cellos {

/// What a recovery journal says, as far as it is authentic.
struct journal_content {
  /// Nothing: no use can be made of it.
  std::optional<journal_header> header;
  /// In order; those that a later one supersedes, because it begins no later, are left out.
  std::vector<journal_record> records;
  /// Why not all of it can be relied on, if so; of a log that has lines.
  std::optional<journal_trouble> trouble;

  // Where writing goes on.
  std::uint64_t bytes = 0;
  journal_tag last_tag{};
  /// Authentic under this one.
  journal_mac_ptr mac;

  /// The append that may not have been made; null if all were.
  const journal_record* last_append() const {
    return records.empty() || records.back().bytes == 0 ? nullptr : &records.back();
  }
  bool same_boot(std::string_view boot_id) const { return header && header->boot_id == boot_id; }
};

/// Reads a journal's text. `macs`: those it may be authentic under, the likeliest first. What a loss of power left of
/// its end is no trouble, and neither is a record that was never written whole.
journal_content read_journal(std::string_view text, const std::vector<journal_mac_ptr>& macs, std::string_view boot_id);

/// A line of a journal, with its newline; `tag` becomes this record's.
std::string journal_line(const journal_mac& mac, journal_tag& tag, std::string_view record);

/// Where a chain stood behind one append.
struct milestone {
  chain_head head;
  segment_position end;
};

/// What a journal expects of one chain.
struct expected_chain {
  /// By position in the chain, ascending; at least one.
  std::vector<milestone> milestones;
  bool closed = false;
  // What the host's chain says of it.
  bool listed = false;
  bool closing_listed = false;

  const chain_head& last() const { return milestones.back().head; }
};

using expected_chains = std::map<std::string, expected_chain, std::less<>>;

/// Folds header and the first `records` records.
expected_chains expected_by(const journal_header& header, const std::vector<journal_record>& records);

}  // namespace cellos
