#include "runtime/collector/witness.hpp"

#include <fcntl.h>

#include <algorithm>
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
                                         const recorded_hosts& known, monotonic_time now, std::size_t most, bool all) {
  std::vector<witnessed_log> found;
  for (const auto& each : copies) {
    if (found.size() >= most) break;
    const auto piece = each.copy->durable_piece();
    if (!piece) continue;
    const auto until = known.witnessed(each.host_id, hexadecimal(each.name.log), each.name.fork);
    // The first place of a copy is not due at once: a moment later there is more to vouch for.
    pace& of = paces_.try_emplace({each.host_id, each.name.log, each.name.fork}, pace{now + interval_, 0, {}, 0, {}})
                   .first->second;
    if (piece->end() <= until) continue;
    const bool is_due = all || now >= of.due;
    if (!is_due && piece->begin.segment == of.segment) continue;
    if (!look_at(each, until, is_due, of, found)) continue;
    of.segment = piece->begin.segment;
    if (is_due) of.due = now + interval_;
  }
  return found;
}

bool witness::look_at(const collector_store::named_copy& copy, segment_position known, bool is_due, pace& of,
                      std::vector<witnessed_log>& into) {
  const auto last = copy.copy->durable_piece();
  std::error_code unlisted;
  const auto pieces = list_pieces(copy.copy->dir(), unlisted);
  if (unlisted || !last) return false;
  for (std::size_t i = 0; i < pieces.size() && pieces[i] < last->begin; ++i) {
    const bool ends_segment = i + 1 == pieces.size() || pieces[i + 1].segment > pieces[i].segment;
    if (!ends_segment || pieces[i].segment < known.segment) continue;
    const segment_position end{pieces[i].segment,
                               pieces[i].offset + size_of(copy.copy->dir() / piece_file_name(pieces[i]))};
    // In order, or not at all: what is witnessed later counts for what lies before.
    if (end > known && !add(copy, pieces[i], end, of, into)) return false;
  }
  return !is_due || add(copy, last->begin, last->end(), of, into);
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
    block.resize(std::min(hashed_at_once, until - of.hashed));
    const auto got =
        uninterrupted([&] { return files_.pread(piece, block.data(), block.size(), static_cast<off_t>(of.hashed)); });
    if (got <= 0) return false;
    of.bytes.update(std::string_view{block}.substr(0, static_cast<std::size_t>(got)));
    of.hashed += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace cellos
