#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/evidence/evidence_directory.hpp"
#include "runtime/evidence/evidence_errc.hpp"
#include "runtime/evidence/recovery_journal.hpp"
#include "runtime/evidence/segment_file.hpp"
#include "runtime/evidence/segment_log_settings.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/segments/segment_name.hpp"

namespace cellos {

/// Who removes the oldest segments.
enum class removal_policy : std::uint8_t {
  /// Appends that need their room.
  by_appends,
  /// Only whoever the log has left it to, who puts it on record; while there is nobody, the limit does not hold.
  on_record,
};

struct segment_log_options : segment_log_settings {
  removal_policy removal = removal_policy::by_appends;
  /// Without: no recovery journal is kept.
  std::optional<journal_terms> journal = std::nullopt;
};

/// A segment that somebody else laid hands on while the log wrote to it. The log goes on in the next.
struct disturbed_segment {
  std::uint64_t segment = 0;
  segment_file::condition condition{};
  /// Of what was appended; where it was cut.
  std::uint64_t bytes_missing = 0;
};

struct segment_log_statistics {
  std::uint64_t bytes_on_disk = 0;
  std::uint64_t segments = 0;
  /// Oldest segments removed to stay within `max_bytes`.
  std::uint64_t segments_removed = 0;
  std::uint64_t append_errors = 0;
  std::uint64_t commits = 0;
  std::uint64_t commit_errors = 0;
  /// Appended and never made durable because a commit failed: they may be gone after a loss of power.
  std::uint64_t bytes_in_doubt = 0;
  std::chrono::nanoseconds last_commit{0};
};

/// The evidence log on local disk: `<dir>/evidence-<20 digits>.jsonl`, in name order. Thread-safe.
///
/// One process at a time writes to a directory. Lines that were appended stay, whole and in order, until retention
/// removes their segment. After a failed fdatasync the kernel no longer says what reached the disk, so the log never
/// counts on that segment again: it goes on in a new one. With `always` the lines in question are taken back and
/// their appends fail; with `interval`, where append has answered already, the next append fails once.
class segment_log final : public evidence_log {
 public:
  /// Left by a write that a crash or loss of power cut short.
  struct torn_tail {
    std::filesystem::path file;
    std::uint64_t bytes_removed = 0;
  };

  struct opening {
    /// Null when refused.
    std::unique_ptr<segment_log> log;
    /// A sentence for a person: the path, the reason, what to do.
    std::string refusal;
    /// Set even when refused afterwards: the next attempt finds nothing torn.
    std::optional<torn_tail> recovered;
    /// What the recovery journal of the process before says.
    journal_content journal;
    /// What lies in the directory and is left alone; see log_listing.
    std::vector<std::string> other_files;
  };

  /// Continues the last segment. `files` must outlive the log.
  static opening open(segment_log_options options, file_system& files = real_file_system());
  /// In a directory that is claimed already; `options.dir` is its path.
  static opening open(segment_log_options options, std::unique_ptr<evidence_directory> claimed);

  /// As close(), but nobody learns of its error.
  ~segment_log() override;

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override;
  /// Where removal is left to somebody, whatever `max_bytes` says.
  std::error_code append_from_reserve(std::string_view lines, std::span<const chain_head> heads) override;
  std::uint64_t current_segment() const override { return appended_position().segment; }

  /// What was found in the log at start is on record: from here on the journal speaks for all of it. `chains`, as they
  /// were found, beside those that were appended to since; `highest_epoch`: as recovery concluded.
  std::error_code conclude_recovery(const found_chains& found);
  /// The journal goes on under another key.
  std::error_code change_journal_key(journal_mac_ptr mac);

  /// Waits until all that is appended is durable; returns at once with `never`. With `interval`, an error is the next
  /// append's too.
  std::error_code commit();

  /// Makes everything durable and stops. Every later append fails.
  std::error_code close();

  /// From then on appends remove nothing, whatever the options say: whoever is woken by `wake` does, with
  /// `due_for_removal` and `remove_up_to`. `wake` is called when there is something to remove or a segment was
  /// disturbed, under the log's lock; it must not call the log. Of `max_bytes`, something is kept in reserve for what
  /// puts the removal on record.
  void leave_removal(std::function<void()> wake);
  /// As before. What was kept in reserve may be used up.
  void take_removal_back();
  /// What has to go next, if anything: the oldest segment, so that at any moment the log begins where a record says it
  /// does; more only where the record itself takes `record_bytes` that no segment would make up for.
  std::optional<segment_range> due_for_removal(std::uint64_t record_bytes = 0);
  /// Removes the oldest segments up to this one.
  std::error_code remove_up_to(std::uint64_t segment);

  std::size_t largest_append() const override;
  /// At most a second.
  void await_room(std::size_t bytes) override;

  const evidence_directory& directory() const { return *directory_; }
  fsync_policy fsync() const { return options_.fsync; }

  /// Looks whether the files are where they were; an append does so too.
  void check_files();
  /// Since the last call.
  std::vector<disturbed_segment> take_disturbed();
  /// The directory is not where it was, and nothing is appended.
  bool is_displaced() const;

  /// Segments before this one may be removed when space is needed. Until the first call all but the current one may.
  void retain_from(std::uint64_t segment) { retain_from_ = segment; }

  /// Behind the last line. Goes back with `always` when a commit fails.
  segment_position appended_position() const;

  /// Everything before it survives a loss of power, but for `bytes_in_doubt`. Never goes back. With `never`, nothing
  /// is known to: the default position.
  segment_position committed_position() const;

  /// Never waits for the disk.
  segment_log_statistics statistics() const;

 private:
  /// One call that waits for durability.
  struct commit_waiter {
    segment_position end;
    bool settled = false;
    std::error_code outcome;
  };

  /// What other threads may look at while the log waits for the disk.
  struct published_state {
    segment_position appended;
    segment_position committed;
    segment_log_statistics statistics;
    bool displaced = false;
  };

  segment_log(segment_log_options options, std::unique_ptr<evidence_directory> directory,
              std::unique_ptr<segment_file> current, std::deque<segment_on_disk> closed_segments,
              const journal_content& left);

  using lock = std::unique_lock<std::mutex>;

  /// How far an append may fill the log.
  enum class filling : std::uint8_t { up_to_limit, from_reserve };

  std::error_code append_as(filling how, std::string_view lines, std::span<const chain_head> heads);
  std::error_code look_at_files();
  std::error_code make_room(lock& guard, std::uint64_t bytes, filling how);
  std::uint64_t limit(filling how = filling::up_to_limit) const;
  std::uint64_t used_bytes() const { return closed_bytes_ + (current_ ? current_->size() : 0); }
  bool has_room(std::uint64_t bytes, filling how = filling::up_to_limit) const {
    return bytes <= limit(how) && used_bytes() <= limit(how) - bytes;
  }
  bool may_remove_oldest() const;
  std::error_code ask_for_room(std::uint64_t bytes, filling how);
  std::error_code remove_one();
  std::error_code write(lock& guard, std::string_view lines, std::span<const chain_head> heads);
  std::error_code note_and_append(std::string_view lines, std::span<const chain_head> heads);
  bool must_rotate(std::uint64_t bytes) const;
  std::error_code rotate();
  segment_file::opening create_next() const;
  std::error_code remove_oldest(std::uint64_t bytes);

  void run_committer();
  std::error_code wait_for_commit(lock& guard);
  void lead_commit(lock& guard);
  std::error_code sync_all() const;
  void commit_under_lock();
  void settle(segment_position target, std::error_code outcome, std::chrono::nanoseconds took);
  void abandon_uncommitted(std::error_code failure);

  void publish();

  segment_log_options options_;
  std::unique_ptr<evidence_directory> directory_;
  std::atomic<std::uint64_t> retain_from_ = std::numeric_limits<std::uint64_t>::max();

  std::mutex mutex_;
  /// A commit ended.
  std::condition_variable commit_ended_;
  /// Something to commit, or time to stop.
  std::condition_variable committer_wakes_;
  std::unique_ptr<segment_file> current_;
  /// Begun anew only while no commit is under way: that one uses its file.
  std::optional<recovery_journal> journal_;
  std::deque<segment_on_disk> closed_segments_;
  std::uint64_t closed_bytes_ = 0;
  segment_position appended_;
  /// Up to here every line's outcome is known: committed, or reported as in doubt.
  segment_position settled_;
  segment_position committed_;
  /// Set where removal is left to somebody.
  std::function<void()> wake_remover_;
  /// The most that an append found no room for since the last removal.
  std::uint64_t wanted_bytes_ = 0;
  std::condition_variable room_made_;
  /// The current segment must be left.
  bool disturbed_ = false;
  bool displaced_ = false;
  std::vector<disturbed_segment> unreported_;
  std::vector<commit_waiter*> waiters_;
  /// A thread is in fdatasync without the lock; the current segment must stay.
  bool committing_ = false;
  /// The current segment had a failed fdatasync.
  bool abandoned_ = false;
  /// With `interval`: the next append's error.
  std::error_code unreported_failure_;
  bool stopping_ = false;
  segment_log_statistics counts_;

  mutable std::mutex published_mutex_;
  published_state published_;

  std::thread committer_;
};

}  // namespace cellos
