#include "runtime/segments/segment_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/segments/line_scan.hpp"

namespace cellos {

namespace {

constexpr std::size_t usual_buffer = 256 * 1024;
/// With its newline and the byte before.
constexpr std::size_t largest_buffer = segment_reader::longest_line + 2;

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

segment_reader::segment_reader(std::vector<std::filesystem::path> sources)
    : sources_(std::move(sources)), buffer_(usual_buffer) {
  std::ranges::sort(sources_);
  sources_.erase(std::unique(sources_.begin(), sources_.end()), sources_.end());
}

segment_reader::segment_reader(std::filesystem::path dir, segment_position start)
    : segment_reader(std::vector{std::move(dir)}) {
  start_ = start;
}

std::optional<evidence_line> segment_reader::next() {
  while (!failure_) {
    if (auto line = take_line()) return line;
    if (!refill() && !advance()) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<evidence_line> segment_reader::take_line() {
  const char* const begin = buffer_.data() + unread_begin_;
  const auto* const newline = static_cast<const char*>(std::memchr(begin, '\n', unread_end_ - unread_begin_));
  if (newline == nullptr) return std::nullopt;
  const auto length = static_cast<std::size_t>(newline - begin);
  const evidence_line line{{begin, length}, path_, number_, {segment_, offset_}};
  unread_begin_ += length + 1;
  offset_ += length + 1;
  ++number_;
  return line;
}

/// Reads on from the next line's beginning, so that no line is put together from two moments of a changing file, and
/// with it the byte before, which must be a newline.
bool segment_reader::refill() {
  unread_begin_ = unread_end_ = 0;
  tail_bytes_ = 0;
  if (!file_) return false;
  for (;;) {
    const std::size_t before = offset_ > 0 ? 1 : 0;
    const auto wanted = readable_bytes();
    const auto bytes = read(offset_ - before, before + wanted);
    if (!bytes) return false;
    if (before > 0 && (*bytes == 0 || buffer_.front() != '\n')) {
      if (!step_back()) return false;
      continue;
    }
    if (std::memchr(buffer_.data() + before, '\n', *bytes - before) != nullptr) {
      unread_begin_ = before;
      unread_end_ = *bytes;
      return true;
    }
    if (*bytes - before < buffer_room()) {
      tail_bytes_ = *bytes - before;
      return false;
    }
    if (buffer_.size() == largest_buffer) {
      fail(std::make_error_code(std::errc::message_size),
           "line " + std::to_string(number_) + " is longer than " + std::to_string(longest_line) + " bytes");
      return false;
    }
    buffer_.resize(std::min(buffer_.size() * 2, largest_buffer));
  }
}

std::size_t segment_reader::readable_bytes() const {
  if (!limit_ || segment_ < limit_->segment) return buffer_room();
  if (segment_ > limit_->segment || offset_ >= limit_->offset) return 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(buffer_room(), limit_->offset - offset_));
}

std::optional<std::size_t> segment_reader::read(std::uint64_t from, std::size_t bytes) {
  std::size_t have = 0;
  while (have < bytes) {
    const auto got = uninterrupted(
        [&] { return ::pread(file_.get(), buffer_.data() + have, bytes - have, static_cast<off_t>(from + have)); });
    if (got < 0) {
      const auto code = last_system_error();
      fail(code, "cannot be read: " + code.message());
      return std::nullopt;
    }
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

/// The log took back what we had read: on to the last line that begins no later.
bool segment_reader::step_back() {
  auto& files = real_file_system();
  const auto size = uninterrupted([&] { return files.file_size(file_.get()); });
  if (size < 0) return false;
  std::error_code still_changing;
  const auto end = std::min(offset_, static_cast<std::uint64_t>(size));
  const auto line = end_of_last_line(files, file_.get(), end, still_changing);
  if (still_changing) return false;
  offset_ = line;
  return true;
}

/// On to the next file, if there is one and the current one has no more. True if it is worth reading.
bool segment_reader::advance() {
  if (failure_ || (limit_ && file_ && segment_ >= limit_->segment)) return false;
  if (!find_files()) return false;
  // The log may have written between our reading to the end and its going on to the file just found.
  if (refill()) return true;
  if (failure_) return false;
  if (tail_bytes_ > 0) tails_.push_back({path_, number_, offset_, std::exchange(tail_bytes_, 0)});
  while (!failure_ && find_files()) {
    const auto path = std::move(upcoming_.front());
    upcoming_.pop_front();
    if (open_file(path)) return true;
  }
  return false;
}

/// Makes sure that `upcoming_` has a file.
bool segment_reader::find_files() {
  while (upcoming_.empty()) {
    if (directory_ && !list_directory()) return false;
    if (!upcoming_.empty()) return true;
    if (next_source_ == sources_.size()) return false;
    const auto& source = sources_[next_source_++];
    std::error_code unknown;
    if (std::filesystem::is_directory(source, unknown)) {
      directory_ = source;
      next_listed_ = expected_ = start_.segment;
    } else {
      directory_.reset();
      upcoming_.push_back(source);
    }
  }
  return true;
}

/// The segments of `directory_` after the last one taken from it.
bool segment_reader::list_directory() {
  std::error_code failure;
  log_listing listing = list_log(*directory_, failure);
  if (failure) {
    path_ = directory_->string();
    fail(failure, "cannot be listed: " + failure.message());
    return false;
  }
  if (other_files_.empty()) other_files_ = std::move(listing.others);
  for (const segment_on_disk& each : listing.segments) {
    if (each.segment >= next_listed_) upcoming_.push_back(*directory_ / segment_file_name(each.segment));
  }
  if (!upcoming_.empty()) next_listed_ = listing.segments.back().segment + 1;
  return true;
}

/// False if retention removed it meanwhile, or on failure.
bool segment_reader::open_file(const std::filesystem::path& path) {
  // A FIFO with no writer must not hold us.
  file_descriptor file{uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })};
  if (!file && errno == ENOENT && directory_) return false;
  path_ = path.string();
  if (!file) {
    const auto code = last_system_error();
    fail(code, "cannot be opened: " + code.message());
    return false;
  }
  if (!is_regular(file.get())) {
    fail(std::make_error_code(std::errc::invalid_argument), "is not a regular file");
    return false;
  }
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  file_ = std::move(file);
  segment_ = segment_of(path.filename().native()).value_or(0);
  offset_ = 0;
  number_ = 1;
  unread_begin_ = unread_end_ = 0;
  if (directory_) note_skipped();
  if (segment_ == start_.segment) begin_at_start();
  return true;
}

/// A log's segments follow each other without a gap: what is not there was removed.
void segment_reader::note_skipped() {
  if (expected_ > 0 && segment_ > expected_) {
    skipped_ = segment_range{skipped_ ? skipped_->first : expected_, segment_ - 1};
  }
  expected_ = segment_ + 1;
}

void segment_reader::begin_at_start() {
  char before = 0;
  const auto start = std::exchange(start_, {}).offset;
  if (start == 0) return;
  if (::pread(file_.get(), &before, 1, static_cast<off_t>(start - 1)) == 1 && before == '\n') offset_ = start;
}

void segment_reader::fail(std::error_code code, const std::string& explanation) {
  failure_ = read_failure{code, "\"" + escaped(path_, 512) + "\" " + explanation};
}

std::vector<unterminated_tail> segment_reader::unterminated_tails() const {
  auto tails = tails_;
  if (tail_bytes_ > 0) tails.push_back({path_, number_, offset_, tail_bytes_});
  return tails;
}

}  // namespace cellos
