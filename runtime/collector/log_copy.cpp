#include "runtime/collector/log_copy.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/line_scan.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

constexpr mode_t piece_mode = 0640;
constexpr int piece_flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

}  // namespace

log_copy::opening log_copy::open(std::filesystem::path dir, file_system& files) {
  opening opened;
  std::shared_ptr<log_copy> copy{new log_copy{std::move(dir), files}};
  opened.failure = copy->find_last(opened.torn_bytes);
  if (!opened.failure) opened.copy = std::move(copy);
  return opened;
}

/// The last piece with a whole line; those behind it hold nothing and go.
std::error_code log_copy::find_last(std::uint64_t& torn_bytes) {
  std::error_code failure;
  auto pieces = list_pieces(dir_, failure);
  for (; !failure && !pieces.empty(); pieces.pop_back()) {
    failure = open_piece(pieces.back(), 0);
    if (failure) return failure;
    const auto size = uninterrupted([&] { return files_.file_size(file_.get()); });
    if (size < 0) return last_system_error();
    const auto bytes = static_cast<std::uint64_t>(size);
    const auto whole = end_of_last_line(files_, file_.get(), bytes, failure);
    if (failure) return failure;
    torn_bytes += bytes - whole;
    if (whole > 0) {
      if (whole < bytes &&
          uninterrupted([&] { return files_.ftruncate(file_.get(), static_cast<off_t>(whole)); }) != 0) {
        return last_system_error();
      }
      last_ = durable_ = piece{pieces.back(), whole};
      end_ = durable_end_ = last_->end();
      return {};
    }
    file_.reset();
    const auto path = dir_ / piece_file_name(pieces.back());
    if (uninterrupted([&] { return files_.unlink(path.c_str()); }) != 0) return last_system_error();
  }
  return failure;
}

std::error_code log_copy::open_piece(segment_position begin, int flags) {
  const auto path = dir_ / piece_file_name(begin);
  file_descriptor opened{uninterrupted([&] { return files_.open(path.c_str(), piece_flags | flags, piece_mode); })};
  if (!opened) return last_system_error();
  file_ = std::move(opened);
  return {};
}

/// What has this name already is what an attempt left: every piece of the copy begins before its end.
std::error_code log_copy::begin_piece(segment_position begin, std::string_view lines) {
  const auto path = dir_ / piece_file_name(begin);
  constexpr int flags = piece_flags | O_CREAT | O_TRUNC;
  file_descriptor made{uninterrupted([&] { return files_.open(path.c_str(), flags, piece_mode); })};
  if (!made) return last_system_error();
  if (const auto failure = write_all(files_, made.get(), lines)) {
    (void)files_.unlink(path.c_str());
    return failure;
  }
  file_ = std::move(made);
  begun_.push_back(begin);
  last_ = piece{begin, lines.size()};
  return {};
}

std::error_code log_copy::go_on(std::string_view lines) {
  if (const auto failure = write_all(files_, file_.get(), lines)) {
    const auto size = static_cast<off_t>(last_->bytes);
    if (uninterrupted([&] { return files_.ftruncate(file_.get(), size); }) != 0) must_restore_ = true;
    return failure;
  }
  last_->bytes += lines.size();
  return {};
}

log_copy::append_result log_copy::append(segment_position after, segment_position from, std::string_view lines) {
  const std::lock_guard guard{mutex_};
  append_result done;
  if (must_restore_) done.failure = restore();
  if (done.failure) return done;
  done.end = end_;
  done.generation = generation_;
  if (after != end_) {
    done.result = outcome::does_not_follow;
    return done;
  }
  done.began_piece = !last_ || last_->end() != from;
  done.failure = done.began_piece ? begin_piece(from, lines) : go_on(lines);
  if (done.failure) return done;
  end_ = last_->end();
  line_before_.reset();
  done.end = end_;
  done.result = outcome::taken;
  return done;
}

log_cursor log_copy::end(std::error_code& failure) {
  const std::lock_guard guard{mutex_};
  failure = must_restore_ ? restore() : std::error_code{};
  if (!failure && !line_before_) failure = hash_last_line();
  return {end_, line_before_.value_or(line_hash{})};
}

std::error_code log_copy::hash_last_line() {
  if (!last_ || last_->bytes == 0 || last_->end() != end_) {
    line_before_ = line_hash{};
    return {};
  }
  std::error_code failure;
  const auto line = line_ending_at(files_, file_.get(), last_->bytes, failure);
  if (failure) return failure;
  if (!line) return std::make_error_code(std::errc::io_error);
  line_before_ = sha256::of(*line);
  return {};
}

bool log_copy::skip_to(segment_position begin) {
  const std::lock_guard guard{mutex_};
  if (begin < end_ || begin.segment == 0) return false;
  if (begin == end_) return true;
  end_ = begin;
  line_before_ = line_hash{};
  return true;
}

bool log_copy::is_empty() const {
  const std::lock_guard guard{mutex_};
  return !last_;
}

segment_position log_copy::end_position() const {
  const std::lock_guard guard{mutex_};
  return end_;
}

log_copy::snapshot log_copy::look() const {
  const std::lock_guard guard{mutex_};
  return {generation_, last_, end_, begun_.size()};
}

bool log_copy::settle(const snapshot& at) {
  const std::lock_guard guard{mutex_};
  if (at.generation != generation_) return false;
  if (at.end < durable_end_) return true;
  begun_.erase(begun_.begin(), begun_.begin() + static_cast<std::ptrdiff_t>(std::min(at.pieces_begun, begun_.size())));
  durable_ = at.last;
  durable_end_ = at.end;
  return true;
}

void log_copy::cut_back() {
  const std::lock_guard guard{mutex_};
  if (last_ == durable_ && begun_.empty()) return;
  ++generation_;
  must_restore_ = true;
  // If this fails, whoever needs the copy next begins with it.
  (void)restore();
}

/// Makes the disk, and the members, what is durable.
std::error_code log_copy::restore() {
  while (!begun_.empty()) {
    const auto path = dir_ / piece_file_name(begun_.back());
    if (uninterrupted([&] { return files_.unlink(path.c_str()); }) != 0 && errno != ENOENT) return last_system_error();
    begun_.pop_back();
  }
  file_.reset();
  if (durable_) {
    if (const auto failure = open_piece(durable_->begin, 0)) return failure;
    const auto size = static_cast<off_t>(durable_->bytes);
    if (uninterrupted([&] { return files_.ftruncate(file_.get(), size); }) != 0) return last_system_error();
  }
  if (last_ != durable_) ++generation_;
  last_ = durable_;
  end_ = durable_end_;
  line_before_.reset();
  must_restore_ = false;
  return {};
}

std::uint64_t log_copy::generation() const {
  const std::lock_guard guard{mutex_};
  return generation_;
}

segment_position log_copy::durable_end() const {
  const std::lock_guard guard{mutex_};
  return durable_end_;
}

std::optional<log_copy::piece> log_copy::durable_piece() const {
  const std::lock_guard guard{mutex_};
  return durable_;
}

}  // namespace cellos
