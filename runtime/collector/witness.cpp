#include "runtime/collector/witness.hpp"

#include <fcntl.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "messages/hexadecimal.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/segments/line_scan.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

constexpr std::uint64_t hashed_at_once = std::uint64_t{1} << 20;

}  // namespace

std::vector<witnessed_log> witness::look(const std::vector<collector_store::named_copy>& copies,
                                         const recorded_hosts& known, const look_request& request) {
  std::vector<witnessed_log> found;
  request_ = &request;
  bytes_left_ = request.all ? std::numeric_limits<std::uint64_t>::max() : limits_.bytes;
  const auto first = first_;
  for (std::size_t i = 0; i < copies.size() && found.size() < request.most && bytes_left_ > 0; ++i) {
    const auto& each = copies[(first + i) % copies.size()];
    const auto piece = each.copy->durable_piece();
    if (!piece) continue;
    const auto until = known.witnessed(each.host_id, hexadecimal(each.name.log), each.name.fork);
    // The first place of a copy is not due at once: a moment later there is more to vouch for.
    pace& of = paces_
                   .try_emplace({each.host_id, each.name.log, each.name.fork},
                                pace{request.now + limits_.interval, 0, {}, 0, {}})
                   .first->second;
    if (piece->end() <= until) continue;
    const bool is_due = request.all || request.now >= of.due;
    const bool has_ended = piece->begin.segment != of.segment && share_of(each.host_id, request.now).ends > 0;
    if (!is_due && !has_ended) continue;
    first_ = (first + i + 1) % copies.size();
    if (!look_at(each, until, is_due, of, found)) continue;
    of.segment = piece->begin.segment;
    if (is_due) of.due = request.now + limits_.interval;
  }
  return found;
}

witness::share& witness::share_of(const std::string& host_id, monotonic_time now) {
  const auto [at, is_new] = shares_.try_emplace(host_id, share{now, limits_.ends});
  if (!is_new && now - at->second.renewed >= limits_.interval) at->second = {now, limits_.ends};
  return at->second;
}

std::optional<std::vector<witness::piece_end>> witness::ended_segments(const collector_store::named_copy& copy,
                                                                       segment_position known, segment_position last,
                                                                       std::size_t most) const {
  std::vector<piece_end> ended;
  std::error_code unlisted;
  const auto pieces = list_pieces(copy.copy->dir(), unlisted);
  if (unlisted) return std::nullopt;
  for (std::size_t i = pieces.size(); i-- > 0 && pieces[i].segment >= known.segment;) {
    const bool ends_segment = i + 1 == pieces.size() || pieces[i + 1].segment > pieces[i].segment;
    if (!ends_segment || pieces[i] >= last) continue;
    // Of the segment that was under way there is a place already, and its end is worth one more whatever comes.
    if (ended.size() >= most && pieces[i].segment != known.segment) continue;
    const auto size = size_of(copy.copy->dir() / piece_file_name(pieces[i]));
    const segment_position end{pieces[i].segment, pieces[i].offset + size};
    if (end > known) ended.push_back({pieces[i], end});
  }
  std::ranges::reverse(ended);
  return ended;
}

bool witness::look_at(const collector_store::named_copy& copy, segment_position known, bool is_due, pace& of,
                      std::vector<witnessed_log>& into) {
  const auto last = copy.copy->durable_piece();
  if (!last) return false;
  share& host = share_of(copy.host_id, request_->now);
  const auto ended = ended_segments(copy, known, last->begin, host.ends);
  if (!ended) return false;
  for (const piece_end& each : *ended) {
    // In order: what is witnessed later counts for what lies before. What cannot be read holds nothing up.
    if (into.size() >= request_->most) return false;
    if (!add(copy, each.begin, each.end, of, into)) {
      if (bytes_left_ == 0 || !request_->goes_on()) return false;
      continue;
    }
    if (host.ends > 0) --host.ends;
  }
  if (!is_due) return true;
  return into.size() < request_->most && add(copy, last->begin, last->end(), of, into);
}

std::uint64_t witness::size_of(const std::filesystem::path& piece) const {
  std::error_code vanished;
  const auto size = std::filesystem::file_size(piece, vanished);
  return vanished ? 0 : size;
}

bool witness::add(const collector_store::named_copy& copy, segment_position begin, segment_position end, pace& of,
                  std::vector<witnessed_log>& into) {
  const auto path = copy.copy->dir() / piece_file_name(begin);
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  const file_descriptor file{uninterrupted([&] { return files_.open(path.c_str(), flags, 0); })};
  if (!file) return false;
  const auto bytes = end.offset - begin.offset;
  std::error_code unread;
  const auto line = line_ending_at(files_, file.get(), bytes, unread);
  if (!line) return false;
  if (of.piece != begin || of.hashed > bytes) {
    of.piece = begin;
    of.hashed = 0;
    of.bytes = sha256{};
  }
  if (!hash(file.get(), bytes, of)) return false;
  into.push_back({copy.host_id, hexadecimal(copy.name.log), copy.name.fork, end, hexadecimal(sha256::of(*line)),
                  begin.offset, hexadecimal(sha256{of.bytes}.finish())});
  return true;
}

/// From where it was hashed last: each byte once in a process.
bool witness::hash(int piece, std::uint64_t until, pace& of) {
  std::string block;
  while (of.hashed < until) {
    if (bytes_left_ == 0 || !request_->goes_on()) return false;
    block.resize(std::min({hashed_at_once, until - of.hashed, bytes_left_}));
    const auto got =
        uninterrupted([&] { return files_.pread(piece, block.data(), block.size(), static_cast<off_t>(of.hashed)); });
    if (got <= 0) return false;
    of.bytes.update(std::string_view{block}.substr(0, static_cast<std::size_t>(got)));
    of.hashed += static_cast<std::uint64_t>(got);
    bytes_left_ -= static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace cellos
