// Where lines go: append -> make_room (rotation, retention; segment_log_room.cpp) -> write -> with `always`,
// wait_for_commit.
//
// Commits are shared. Whoever needs one and finds none under way leads it: it calls fdatasync without the lock, so
// that others go on appending, and then settles every waiter whose lines it covered. With `interval` a thread leads.
// Rotation waits for a commit under way, because that one uses the current segment's file.
#include "runtime/evidence/segment_log.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/evidence/torn_append.hpp"

namespace cellos {

namespace {

constexpr std::uint64_t first_segment = 1;

struct timed_sync {
  std::error_code outcome;
  std::chrono::nanoseconds took;
};

template <class Sync>
timed_sync timed(Sync&& sync) {
  const auto begin = std::chrono::steady_clock::now();
  const std::error_code outcome = sync();
  return {outcome, std::chrono::steady_clock::now() - begin};
}

journal_content journal_left_in(const evidence_directory& directory, const segment_log_options& options) {
  if (!options.journal) return {};
  return read_journal(directory, {options.journal->mac, options.journal->former_mac}, options.journal->owner.boot_id);
}

/// The append that the process before had begun goes back to nothing, unless it is there as a whole.
void cut_torn_append(segment_file::opening& current, const journal_content& left, std::string_view boot_id) {
  if (current.failure) return;
  const journal_record* const torn = torn_append(left, {current.file->segment(), current.file->size()}, boot_id);
  if (torn == nullptr) return;
  current.bytes_removed += current.file->cut_torn_append(torn->begin.offset, torn->end().offset, current.failure);
}

std::string refusal_of(const std::filesystem::path& path, std::error_code failure) {
  return "evidence segment \"" + path.string() + "\" cannot be continued: " + failure.message() +
         ". Make it readable and writable for uid " + std::to_string(::geteuid()) + ", or move it away.";
}

}  // namespace

segment_log::opening segment_log::open(segment_log_options options, file_system& files) {
  auto claim = evidence_directory::claim(options.dir, files);
  if (!claim.directory) return {nullptr, std::move(claim.refusal), {}, {}, {}};
  return open(std::move(options), std::move(claim.directory));
}

segment_log::opening segment_log::open(segment_log_options options, std::unique_ptr<evidence_directory> claimed) {
  std::error_code unlisted;
  log_listing listing = list_log(options.dir, unlisted);
  const auto& segments = listing.segments;
  if (unlisted) {
    return {nullptr,
            "evidence directory \"" + options.dir.string() + "\" cannot be read: " + unlisted.message() + ".",
            {},
            {},
            {}};
  }
  const auto last = segments.empty() ? first_segment : segments.back().segment;
  const auto path = claimed->segment_path(last);
  auto current = segments.empty() ? segment_file::create(*claimed, last) : segment_file::reopen(*claimed, last);
  opening result;
  result.journal = journal_left_in(*claimed, options);
  cut_torn_append(current, result.journal, options.journal ? options.journal->owner.boot_id : std::string_view{});
  // What an earlier process wrote and did not commit is made durable, or the log could not say what is.
  if (!current.failure && options.fsync != fsync_policy::never) current.failure = current.file->sync();

  result.other_files = std::move(listing.others);
  if (current.bytes_removed > 0) result.recovered = torn_tail{path, current.bytes_removed};
  if (current.failure) {
    result.refusal = refusal_of(path, current.failure);
    return result;
  }
  std::deque<segment_on_disk> closed(segments.begin(), segments.empty() ? segments.end() : segments.end() - 1);
  options.segment_bytes = options.longest_segment();
  result.log.reset(new segment_log{std::move(options), std::move(claimed), std::move(current.file), std::move(closed),
                                   result.journal});
  return result;
}

segment_log::segment_log(segment_log_options options, std::unique_ptr<evidence_directory> directory,
                         std::unique_ptr<segment_file> current, std::deque<segment_on_disk> closed_segments,
                         const journal_content& left)
    : options_(std::move(options)),
      directory_(std::move(directory)),
      current_(std::move(current)),
      closed_segments_(std::move(closed_segments)),
      appended_{current_->segment(), current_->size()},
      settled_(appended_),
      committed_(options_.fsync == fsync_policy::never ? segment_position{} : appended_) {
  for (const auto& closed : closed_segments_) closed_bytes_ += closed.bytes;
  if (options_.journal) journal_.emplace(*directory_, options_.journal->owner, options_.journal->mac, left);
  publish();
  if (options_.fsync == fsync_policy::interval) committer_ = std::thread{[this] { run_committer(); }};
}

segment_log::~segment_log() { (void)close(); }

std::error_code segment_log::append(std::string_view lines, std::span<const chain_head> heads) {
  return append_as(filling::up_to_limit, lines, heads);
}

std::error_code segment_log::append_from_reserve(std::string_view lines, std::span<const chain_head> heads) {
  return append_as(filling::from_reserve, lines, heads);
}

std::error_code segment_log::append_as(filling how, std::string_view lines, std::span<const chain_head> heads) {
  if (lines.empty()) return {};
  // Half a line would become one with whatever is appended next.
  if (lines.back() != '\n') return std::make_error_code(std::errc::invalid_argument);
  lock guard{mutex_};
  auto failure = make_room(guard, lines.size(), how);
  if (!failure) failure = write(guard, lines, heads);
  if (failure) ++counts_.append_errors;
  publish();
  return failure;
}

std::error_code segment_log::note_and_append(std::string_view lines, std::span<const chain_head> heads) {
  if (!journal_) return current_->append(lines);
  if (journal_->has_outgrown() && !committing_) (void)journal_->begin_anew(appended_, committed_);
  const journal_record record{appended_, lines.size(), committed_, {heads.begin(), heads.end()}};
  if (auto failure = journal_->note(record)) return failure;
  if (auto failure = current_->append(lines)) return failure;
  journal_->applied(heads, record.end(), options_.fsync == fsync_policy::always);
  return {};
}

std::error_code segment_log::write(lock& guard, std::string_view lines, std::span<const chain_head> heads) {
  if (auto failure = note_and_append(lines, heads)) return failure;
  const bool was_settled = settled_ == appended_;
  appended_.offset = current_->size();
  if (options_.fsync == fsync_policy::always) return wait_for_commit(guard);
  if (options_.fsync == fsync_policy::interval && was_settled) committer_wakes_.notify_one();
  return {};
}

bool segment_log::must_rotate(std::uint64_t bytes) const {
  if (current_ && disturbed_) return true;
  if (!current_ || current_->size() == 0) return false;
  return abandoned_ || current_->size() + bytes > options_.segment_bytes;
}

/// No commit may be under way.
std::error_code segment_log::rotate() {
  if (options_.fsync != fsync_policy::never) {
    commit_under_lock();
    // Whatever of an abandoned segment can still be saved; the answer means nothing.
    if (abandoned_) (void)current_->sync();
  }
  if (auto failure = current_->make_whole()) return failure;
  auto next = create_next();
  if (next.failure) return next.failure;
  // After a failed commit what came before stays in doubt until the new segment has had a commit of its own.
  const bool all_committed = committed_ == appended_;
  if (!disturbed_ || current_->look() != segment_file::condition::displaced) {
    closed_segments_.push_back({current_->segment(), current_->size()});
    closed_bytes_ += current_->size();
  }
  current_ = std::move(next.file);
  abandoned_ = disturbed_ = false;
  appended_ = settled_ = {current_->segment(), 0};
  if (all_committed) committed_ = appended_;
  // The journal before says the same at more length; without a new one it goes on.
  if (journal_) (void)journal_->begin_anew(appended_, committed_);
  return {};
}

std::error_code segment_log::conclude_recovery(const found_chains& found) {
  lock guard{mutex_};
  if (!journal_) return {};
  commit_ended_.wait(guard, [&] { return !committing_; });
  return journal_->conclude(found, appended_, committed_);
}

std::error_code segment_log::change_journal_key(journal_mac_ptr mac) {
  lock guard{mutex_};
  if (!journal_) return {};
  commit_ended_.wait(guard, [&] { return !committing_; });
  return journal_->change_key(std::move(mac), appended_, committed_);
}

/// The journal first: what is in the log is never unknown to it.
std::error_code segment_log::sync_all() const {
  if (journal_) {
    if (auto failure = journal_->sync()) return failure;
  }
  return current_->sync();
}

/// Whoever moved a segment away may have given it the name of the next.
segment_file::opening segment_log::create_next() const {
  constexpr std::uint64_t attempts = 16;
  segment_file::opening next;
  for (std::uint64_t i = 1; i <= (disturbed_ ? attempts : 1); ++i) {
    next = segment_file::create(*directory_, current_->segment() + i);
    if (next.failure != std::errc::file_exists) break;
  }
  return next;
}

std::error_code segment_log::commit() {
  lock guard{mutex_};
  if (options_.fsync == fsync_policy::never || settled_ == appended_) return {};
  return wait_for_commit(guard);
}

std::error_code segment_log::close() {
  {
    lock guard{mutex_};
    if (std::exchange(stopping_, true)) return {};
    committer_wakes_.notify_all();
    room_made_.notify_all();
  }
  if (committer_.joinable()) committer_.join();
  lock guard{mutex_};
  commit_ended_.wait(guard, [&] { return !committing_; });
  commit_under_lock();
  auto failure = current_->make_whole();
  if (journal_ && !failure) failure = journal_->end(appended_, committed_);
  if (unreported_failure_) failure = std::exchange(unreported_failure_, {});
  current_.reset();
  publish();
  return failure;
}

void segment_log::run_committer() {
  ::pthread_setname_np(::pthread_self(), "evidence-commit");
  lock guard{mutex_};
  while (!stopping_) {
    committer_wakes_.wait(guard, [&] { return stopping_ || settled_ != appended_; });
    committer_wakes_.wait_for(guard, options_.fsync_interval, [&] { return stopping_; });
    if (!stopping_ && !committing_ && settled_ != appended_) lead_commit(guard);
  }
}

std::error_code segment_log::wait_for_commit(lock& guard) {
  commit_waiter self{appended_, false, {}};
  waiters_.push_back(&self);
  while (!self.settled) {
    if (committing_) {
      commit_ended_.wait(guard);
    } else {
      lead_commit(guard);
    }
  }
  return self.outcome;
}

void segment_log::lead_commit(lock& guard) {
  committing_ = true;
  const auto target = appended_;
  guard.unlock();
  const auto [outcome, took] = timed([this] { return sync_all(); });
  guard.lock();
  committing_ = false;
  settle(target, outcome, took);
}

/// For rotation and the end. No commit may be under way.
void segment_log::commit_under_lock() {
  if (settled_ == appended_) return;
  const auto [outcome, took] = timed([this] { return sync_all(); });
  settle(appended_, outcome, took);
}

void segment_log::settle(segment_position target, std::error_code outcome, std::chrono::nanoseconds took) {
  counts_.last_commit = took;
  if (outcome) {
    ++counts_.commit_errors;
    abandon_uncommitted(outcome);
    // Nobody's lines are left to be covered by a later commit.
    target = {std::numeric_limits<std::uint64_t>::max(), 0};
  } else {
    ++counts_.commits;
    settled_ = target;
    if (journal_) journal_->settled(target);
    if (options_.fsync != fsync_policy::never) committed_ = target;
  }
  std::erase_if(waiters_, [&](commit_waiter* waiter) {
    if (waiter->end > target) return false;
    waiter->settled = true;
    waiter->outcome = outcome;
    return true;
  });
  publish();
  commit_ended_.notify_all();
}

void segment_log::abandon_uncommitted(std::error_code failure) {
  if (options_.fsync == fsync_policy::always) {
    // Every one of these lines has an append waiting, which keeps them.
    (void)current_->cut_back(settled_.offset);
    if (journal_) journal_->taken_back(settled_);
    appended_ = settled_;
  } else {
    counts_.bytes_in_doubt += appended_.offset - settled_.offset;
    settled_ = appended_;
    unreported_failure_ = failure;
  }
  // An empty file has nothing left that could have been lost.
  abandoned_ = current_->size() > 0;
}

segment_position segment_log::appended_position() const {
  std::lock_guard guard{published_mutex_};
  return published_.appended;
}

segment_position segment_log::committed_position() const {
  std::lock_guard guard{published_mutex_};
  return published_.committed;
}

segment_log_statistics segment_log::statistics() const {
  std::lock_guard guard{published_mutex_};
  return published_.statistics;
}

void segment_log::publish() {
  if (current_) {
    counts_.bytes_on_disk = closed_bytes_ + current_->size();
    counts_.segments = closed_segments_.size() + 1;
  }
  std::lock_guard guard{published_mutex_};
  published_ = {appended_, committed_, counts_, displaced_};
}

}  // namespace cellos
