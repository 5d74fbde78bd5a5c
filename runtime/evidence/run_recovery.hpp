#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/host_event.hpp"
#include "messages/recovered_run.hpp"
#include "runtime/evidence/chain_recovery.hpp"
#include "runtime/evidence/journal_content.hpp"
#include "runtime/evidence/recovery_line.hpp"
#include "runtime/signing/key_list.hpp"

namespace cellos {

/// What a start knows besides the lines of the log.
struct recovery_terms {
  journal_content journal;
  /// Whose signatures are this host's own. None: nothing is vouched for but by the journal.
  key_list keys;
  std::string boot_id;
  /// The one that will be appended to.
  std::uint64_t last_segment = 0;
};

/// Whose the log is, by its own word.
struct log_identity {
  std::string host_id;
  /// Nothing: written by a version that says nothing of it.
  std::optional<signing_statement> signing;
};

/// What a start makes of the log that it finds. Nothing of it is on record yet.
struct recovery_conclusions {
  /// Nothing of a log without lines.
  std::optional<log_identity> written_by;
  /// Go on, behind what is adopted.
  std::vector<recovered_run> open_runs;
  /// The host's chain is to say so: ended, abandoned, or opened without a line.
  std::vector<run_end_mark> closings;
  /// The host's chain goes on here; otherwise a new one begins, in the place of `former`, if there was one.
  std::optional<chain_position> host_chain;
  std::optional<former_chain> former;
  /// The host's chain ends with a stop.
  bool host_stopped = false;
  std::vector<recovery_finding> findings;
  /// Nothing is appended to these any more; for the journal.
  std::vector<journaled_chain> closed;
  std::uint64_t highest_epoch = 0;
  /// The process before was killed between the journal's note of an append and the append.
  bool last_append_is_missing = false;
};

/// Compares an evidence log, line by line, with what the journal and the host's own signatures say of it.
///
/// Pure. Memory is bounded by the journal; without one, by the chains that are open and those of the last segment.
class run_recovery {
 public:
  explicit run_recovery(recovery_terms terms);

  /// Where reading has to begin.
  segment_position begin() const;
  /// Every line from there on, in order. `file` and `number`: for people.
  void take(std::string_view line, segment_position at, std::string_view file, std::uint64_t number);
  /// Once, at the end.
  recovery_conclusions conclude();

 private:
  struct listing {
    std::uint64_t host_sequence = 0;
    std::string host_chain;
    std::optional<event_place> closed_at;
  };
  using chains = std::map<std::string, chain_recovery, std::less<>>;

  bool has_journal() const { return terms_.journal.header.has_value(); }
  bool has_keys() const { return terms_.keys.size() > 0; }
  const expected_chain* expected(std::string_view name) const;
  chain_recovery* chain_of(const recovery_line& line);
  void take_listing(const recovery_line& line);
  void forget_closed(const std::string& chain, const event_place& end);
  void note_unreadable(segment_position at, std::string_view file, std::uint64_t number);

  bool forget_unapplied_append();
  void find_host_chain();
  void conclude_host_chain(recovery_conclusions& into);
  void conclude_journal(recovery_conclusions& into) const;
  void conclude_chain(recovery_conclusions& into, chain_recovery& chain);
  void conclude_closed(recovery_conclusions& into, const chain_recovery& chain, const event_place& end, bool listed);
  void conclude_open(recovery_conclusions& into, chain_recovery& chain);
  /// Behind what is found; events after `vouched` are adopted.
  void go_on(recovery_conclusions& into, const chain_recovery& chain, std::uint64_t vouched);
  void conclude_unstarted(recovery_conclusions& into);
  void abandon(recovery_conclusions& into, const chain_recovery& chain, abandon_cause cause,
               const event_place& expected, bool close);
  void remember_closed(recovery_conclusions& into, const chain_recovery& chain, bool always);

  enum class comparison : std::uint8_t { as_expected, further, lost, cut_back, broken };
  comparison compare(const chain_recovery& chain) const;
  bool is_journal_behind() const;
  std::uint64_t vouched_until(const chain_recovery& chain) const;
  bool is_listed(const std::string& chain) const;
  std::optional<event_place> listed_end(const std::string& chain) const;
  /// Nothing that was durable is missing of a chain that ends at `found`.
  bool only_the_volatile_is_missing(const expected_chain& expected, std::uint64_t found) const;

  recovery_terms terms_;
  bool same_boot_ = true;
  recovery_line_reader reader_;
  expected_chains expected_;
  /// Known to the journal at its beginning: their lines may be in earlier segments.
  std::map<std::string, chain_head, std::less<>> at_begin_;
  chains chains_;
  /// Of the line before; runs of lines share one.
  chain_recovery* last_ = nullptr;
  std::size_t unknown_chains_ = 0;
  std::map<std::string, std::vector<listing>, std::less<>> listings_;
  std::vector<unreadable_line> unreadable_;
  std::string host_chain_;
  std::string last_host_chain_in_log_;
  std::uint64_t host_vouched_until_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t highest_epoch_ = 0;
  // Some event of the log says how its chain is sealed; and says that it is signed.
  bool said_how_sealed_ = false;
  bool said_signed_ = false;
};

/// Reads the segments in `dir` that there is a need to read. The alternative is why they could not be.
struct log_recovery {
  recovery_conclusions conclusions;
  std::string failure;
};
log_recovery recover_log(const std::filesystem::path& dir, recovery_terms terms);

}  // namespace cellos
