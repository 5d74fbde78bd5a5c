// Where room for lines comes from: rotation and the removal of the oldest segments; and whether the files are still
// those that were opened.
//
// Removal is left to a thread that first puts on record what is to go. Appends never wait for it: they ask for room in
// time, and are refused when it comes too late. Who can wait does so in await_room, holding nothing the remover needs.
#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/evidence/segment_log.hpp"

namespace cellos {

namespace {

/// Of `max_bytes`: kept for what the remover appends.
constexpr std::uint64_t reserve_share = 8;
constexpr std::uint64_t most_reserve = std::uint64_t{1} << 20;
/// Of `max_bytes`, or one segment: so early the removal begins.
constexpr std::uint64_t headroom_share = 8;
/// Chosen here: long for the removal of a segment, short for a guest that waits.
constexpr std::chrono::seconds room_timeout{1};

std::uint64_t reserve_of(const segment_log_options& options) {
  return std::min(options.max_bytes / reserve_share, most_reserve);
}

}  // namespace

std::error_code segment_log::make_room(lock& guard, std::uint64_t bytes, filling how) {
  if (auto failure = look_at_files()) return failure;
  commit_ended_.wait(guard, [&] { return !committing_ || !must_rotate(bytes); });
  if (!current_) return std::make_error_code(std::errc::bad_file_descriptor);
  if (bytes > limit(how)) return evidence_errc::limit_reached;
  if (must_rotate(bytes)) {
    if (auto failure = rotate()) return failure;
  }
  if (unreported_failure_) return std::exchange(unreported_failure_, {});
  if (wake_remover_) return ask_for_room(bytes, how);
  return options_.removal == removal_policy::on_record ? std::error_code{} : remove_oldest(bytes);
}

std::uint64_t segment_log::limit(filling how) const {
  if (!wake_remover_) {
    return options_.removal == removal_policy::on_record ? std::numeric_limits<std::uint64_t>::max()
                                                         : options_.max_bytes;
  }
  if (how == filling::from_reserve) return std::numeric_limits<std::uint64_t>::max();
  return options_.max_bytes - reserve_of(options_);
}

std::error_code segment_log::ask_for_room(std::uint64_t bytes, filling how) {
  const auto headroom = std::min(options_.segment_bytes, options_.max_bytes / headroom_share);
  const bool fits = has_room(bytes, how);
  if (!fits) wanted_bytes_ = std::max(wanted_bytes_, bytes);
  if (wake_remover_ && (!fits || !has_room(bytes + headroom, how))) wake_remover_();
  return fits ? std::error_code{} : evidence_errc::limit_reached;
}

bool segment_log::may_remove_oldest() const {
  return !closed_segments_.empty() && closed_segments_.front().segment < retain_from_;
}

/// Oldest first, until `bytes` more fit.
std::error_code segment_log::remove_oldest(std::uint64_t bytes) {
  while (used_bytes() + bytes > options_.max_bytes) {
    if (!may_remove_oldest()) return evidence_errc::limit_reached;
    if (auto failure = remove_one()) return failure;
  }
  return {};
}

std::error_code segment_log::remove_one() {
  const auto oldest = closed_segments_.front();
  const auto path = directory_->segment_path(oldest.segment);
  const int removed = uninterrupted([&] { return directory_->files().unlink(path.c_str()); });
  if (removed != 0 && errno != ENOENT) return last_system_error();
  closed_segments_.pop_front();
  closed_bytes_ -= oldest.bytes;
  ++counts_.segments_removed;
  if (journal_) {
    journal_->set_first_segment(closed_segments_.empty() ? current_->segment() : closed_segments_.front().segment);
  }
  return {};
}

void segment_log::leave_removal(std::function<void()> wake) {
  const std::lock_guard guard{mutex_};
  wake_remover_ = std::move(wake);
}

void segment_log::take_removal_back() {
  const std::lock_guard guard{mutex_};
  wake_remover_ = nullptr;
  room_made_.notify_all();
}

std::optional<segment_range> segment_log::due_for_removal(std::uint64_t record_bytes) {
  const std::lock_guard guard{mutex_};
  const auto headroom = std::max(std::min(options_.segment_bytes, options_.max_bytes / headroom_share), wanted_bytes_);
  const auto usual_limit = options_.max_bytes - reserve_of(options_);
  if (used_bytes() <= usual_limit - std::min(usual_limit, headroom)) {
    wanted_bytes_ = 0;
    return std::nullopt;
  }
  const std::uint64_t wanted = record_bytes < options_.segment_bytes ? 1 : 2 * record_bytes;
  std::optional<segment_range> due;
  std::uint64_t freed = 0;
  for (const segment_on_disk& oldest : closed_segments_) {
    if (oldest.segment >= retain_from_ || freed >= wanted) break;
    due = segment_range{due ? due->first : oldest.segment, oldest.segment};
    freed += oldest.bytes;
  }
  return due;
}

std::error_code segment_log::remove_up_to(std::uint64_t segment) {
  const std::lock_guard guard{mutex_};
  std::error_code failure;
  while (!failure && may_remove_oldest() && closed_segments_.front().segment <= segment) failure = remove_one();
  publish();
  room_made_.notify_all();
  return failure;
}

std::size_t segment_log::largest_append() const {
  // Half of what there is, so that what was appended last can stay while the next comes.
  return static_cast<std::size_t>((options_.max_bytes - reserve_of(options_)) / 2);
}

void segment_log::await_room(std::size_t bytes) {
  lock guard{mutex_};
  const auto settled = [&] { return stopping_ || !wake_remover_ || !current_ || has_room(bytes) || bytes > limit(); };
  if (settled()) return;
  // Only a segment that is closed can be removed.
  commit_ended_.wait(guard, [&] { return !committing_ || !must_rotate(bytes); });
  if (settled() || (must_rotate(bytes) && rotate())) return;
  wanted_bytes_ = std::max<std::uint64_t>(wanted_bytes_, bytes);
  wake_remover_();
  room_made_.wait_for(guard, room_timeout, settled);
}

/// Notes what became of the current segment. An error where nothing can be appended for that.
std::error_code segment_log::look_at_files() {
  if (!current_ || disturbed_) return {};
  const auto found = current_->look();
  const bool whole_directory = found == segment_file::condition::displaced && !directory_->is_in_place();
  if (std::exchange(displaced_, whole_directory) != whole_directory && wake_remover_) wake_remover_();
  if (whole_directory) return evidence_errc::directory_displaced;
  if (found == segment_file::condition::as_left) return {};
  disturbed_ = true;
  unreported_.push_back({current_->segment(), found, current_->bytes_missing()});
  if (wake_remover_) wake_remover_();
  return {};
}

void segment_log::check_files() {
  const std::lock_guard guard{mutex_};
  // What cannot be done is tried again, and is the next append's error.
  if (!look_at_files() && current_ && disturbed_ && !committing_) (void)rotate();
  publish();
}

std::vector<disturbed_segment> segment_log::take_disturbed() {
  const std::lock_guard guard{mutex_};
  return std::exchange(unreported_, {});
}

bool segment_log::is_displaced() const {
  const std::lock_guard guard{published_mutex_};
  return published_.displaced;
}

}  // namespace cellos
