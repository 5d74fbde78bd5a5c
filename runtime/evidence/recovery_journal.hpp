#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "messages/chain_head.hpp"
#include "runtime/evidence/evidence_directory.hpp"
#include "runtime/evidence/journal_content.hpp"
#include "runtime/evidence/journal_record.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/signing/journal_mac.hpp"

namespace cellos {

/// Whose log a journal is about.
struct journal_owner {
  std::string host_id;
  signing_statement signing;
  std::string boot_id;
};

/// What authenticates the journal of a log, and the one that an earlier process left.
struct journal_terms {
  journal_owner owner;
  journal_mac_ptr mac;
  /// Of the key before; may be null.
  journal_mac_ptr former_mac;
};

/// What a start makes of the log it found.
struct found_chains {
  /// Nothing is ever appended to these again.
  std::span<const journaled_chain> closed;
  std::uint64_t highest_epoch = 0;
  /// The process before was killed between its last note and the append.
  bool last_append_is_missing = false;
};

/// `<evidence dir>/recovery.journal`: notes each append before it is made, so that the next process knows what the log
/// must hold. What it notes, nobody without the key can note.
///
/// Until `conclude`, it goes on with the file an earlier process left, and notes nothing where that is of no use: only
/// what is concluded from a log is relied on by the next start. Not thread-safe but for `sync`.
class recovery_journal {
 public:
  static constexpr const char* file_name = "recovery.journal";

  /// `directory` must outlive it. Changes no file.
  recovery_journal(const evidence_directory& directory, journal_owner owner, journal_mac_ptr mac, journal_content left);

  /// To be called before the lines are written. After an error nothing is noted.
  std::error_code note(const journal_record& record);
  /// The noted lines are in the log. With `may_be_taken_back`, until `settled` says that they stay.
  void applied(std::span<const chain_head> heads, segment_position end, bool may_be_taken_back);
  /// Lines up to here stay.
  void settled(segment_position end);
  /// Lines from here on, of those that are not settled, are gone from the log.
  void taken_back(segment_position from);

  /// A file of its own, made of what the log holds at `end`, of which `committed` is durable: what was found in it, and
  /// what was applied since.
  std::error_code conclude(const found_chains& found, segment_position end, segment_position committed);
  /// The same later on, which also leaves out what is of no use any more. Nothing before `conclude`.
  std::error_code begin_anew(segment_position end, segment_position committed);
  /// The file has become much larger than one begun anew would be.
  bool has_outgrown() const;
  std::error_code change_key(journal_mac_ptr mac, segment_position end, segment_position committed);

  /// The last record: all that was noted is in the log. Nothing before `conclude`.
  std::error_code end(segment_position end, segment_position committed);

  /// Segments before this one are gone by our own hand.
  void set_first_segment(std::uint64_t segment) { first_segment_ = segment; }
  std::uint64_t first_segment() const { return first_segment_; }

  /// Makes what is noted durable. May run while another thread notes; not while a file is begun.
  std::error_code sync() const;

 private:
  struct pending_heads {
    std::vector<chain_head> heads;
    segment_position end;
  };

  /// One chain's head, and the segment that its last line is in.
  struct located_head {
    chain_head head;
    std::uint64_t segment = 0;
  };

  void enter(const chain_head& head, std::uint64_t segment);
  void stays(const chain_head& head, std::uint64_t segment);
  void enter_found(const found_chains& found);
  std::error_code open_left();
  std::error_code append(std::string_view line);

  const evidence_directory& directory_;
  journal_owner owner_;
  journal_mac_ptr mac_;
  journal_content left_;
  bool concluded_ = false;
  // Until it is concluded what the log holds, in order: of the append that may not have been made, and of those since.
  std::vector<located_head> doubtful_;
  std::vector<located_head> since_start_;
  /// Closed where there is no file to go on with.
  file_descriptor file_;
  journal_tag tag_{};
  std::uint64_t size_ = 0;
  std::uint64_t size_when_begun_ = 0;
  /// Bytes that are not ours may follow `size_`.
  bool tail_dirty_ = false;
  std::uint64_t first_segment_ = 1;
  std::uint64_t highest_epoch_ = 0;
  std::unordered_map<std::string, journaled_chain> chains_;
  std::string host_chain_;
  std::deque<pending_heads> pending_;
};

/// Reads the journal in `directory`, without changing anything.
journal_content read_journal(const evidence_directory& directory, const std::vector<journal_mac_ptr>& macs,
                             std::string_view boot_id);

/// The kernel's id of the present boot; empty if it has none.
std::string present_boot_id();

}  // namespace cellos
