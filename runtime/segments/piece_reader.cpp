#include "runtime/segments/piece_reader.hpp"

#include <fcntl.h>

#include <algorithm>
#include <tuple>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/segments/copy_name.hpp"

namespace cellos {

namespace {

constexpr std::size_t usual_buffer = 256 * 1024;

}  // namespace

piece_reader::piece_reader(std::vector<std::filesystem::path> directories) : directories_(std::move(directories)) {}

std::optional<evidence_line> piece_reader::next() {
  while (!failure_) {
    const auto newline = buffer_.find('\n', unread_);
    if (newline != std::string::npos) {
      const evidence_line line{std::string_view{buffer_}.substr(unread_, newline - unread_), path_, 0, at_};
      unread_ = newline + 1;
      at_ = line.end();
      return line;
    }
    if (!refill() && !find_piece()) return std::nullopt;
  }
  return std::nullopt;
}

/// Reads on in the piece that is open. False if it has no further whole line.
bool piece_reader::refill() {
  if (!file_) return false;
  buffer_.erase(0, unread_);
  unread_ = 0;
  for (;;) {
    const auto have = buffer_.size();
    if (have >= segment_reader::longest_line) {
      fail(std::make_error_code(std::errc::message_size), "has a line that is too long");
      return false;
    }
    buffer_.resize(have + usual_buffer);
    const auto got = uninterrupted([&] {
      return real_file_system().pread(file_.get(), buffer_.data() + have, usual_buffer,
                                      static_cast<off_t>(at_.offset - begin_.offset + have));
    });
    buffer_.resize(have + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0) fail(last_system_error(), "cannot be read");
    if (buffer_.find('\n', have) != std::string::npos) return true;
    if (got <= 0) break;
  }
  // A line that is being written is read again, from its beginning.
  buffer_.clear();
  return false;
}

/// Another piece that goes on where we are, or else the next one there is.
bool piece_reader::find_piece() {
  if (failure_) return false;
  const auto pieces = list();
  for (const piece& each : pieces) {
    const bool may_go_on = each.begin.segment == at_.segment && each.begin <= at_ && each.path != path_;
    if (may_go_on && open(each) && refill()) return true;
    if (failure_) return false;
  }
  const auto next = std::ranges::find_if(pieces, [this](const piece& each) { return each.begin > at_; });
  if (next == pieces.end()) return false;
  const auto former = at_;
  const bool is_next_segment = former.segment == 0 || next->begin.segment == former.segment + 1;
  at_ = next->begin;
  if (!open(*next) || !refill()) {
    at_ = former;
    return false;
  }
  if (!is_next_segment || next->begin.offset > 0) gap_ = log_gap{former, next->begin};
  return true;
}

bool piece_reader::open(const piece& next) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  file_descriptor file{uninterrupted([&] { return real_file_system().open(next.path.c_str(), flags, 0); })};
  if (!file) return false;
  file_ = std::move(file);
  begin_ = next.begin;
  path_ = next.path.string();
  buffer_.clear();
  unread_ = 0;
  return true;
}

/// In log order.
std::vector<piece_reader::piece> piece_reader::list() {
  std::vector<piece> pieces;
  for (const auto& directory : directories_) {
    std::error_code failure;
    for (const segment_position begin : list_pieces(directory, failure)) {
      pieces.push_back({begin, directory / piece_file_name(begin)});
    }
    if (failure) {
      path_ = directory.string();
      fail(failure, "cannot be listed");
    }
  }
  std::ranges::sort(pieces, [](const piece& one, const piece& other) {
    return std::tie(one.begin, one.path) < std::tie(other.begin, other.path);
  });
  return pieces;
}

void piece_reader::fail(std::error_code code, const char* what) {
  failure_ = segment_reader::read_failure{code, "\"" + escaped(path_, 512) + "\" " + what + ": " + code.message()};
}

}  // namespace cellos
