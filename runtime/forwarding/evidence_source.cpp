#include "runtime/forwarding/evidence_source.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runtime/segments/line_scan.hpp"
#include "runtime/segments/segment_name.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

segment_position evidence_source::first_kept() {
  const auto first = next_segment(0);
  return first ? segment_position{*first, 0} : segment_position{};
}

std::optional<std::uint64_t> evidence_source::next_segment(std::uint64_t from) {
  const auto segments = list_segments(dir_, failure_);
  const auto next = std::ranges::find_if(segments, [&](const segment_on_disk& each) { return each.segment >= from; });
  if (next == segments.end()) return std::nullopt;
  return next->segment;
}

evidence_source::found evidence_source::open_segment(std::uint64_t segment) {
  if (file_ && segment_ == segment) return found::opened;
  const auto path = dir_ / segment_file_name(segment);
  file_descriptor opened{uninterrupted([&] { return files_.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0); })};
  if (!opened) {
    failure_ = last_system_error();
    return failure_ == std::errc::no_such_file_or_directory ? found::absent : found::failed;
  }
  file_ = std::move(opened);
  segment_ = segment;
  return found::opened;
}

/// Where the committed part of the open segment ends.
std::optional<std::uint64_t> evidence_source::readable_end(std::uint64_t segment, segment_position limit) {
  if (segment > limit.segment) return 0;
  const auto size = uninterrupted([&] { return files_.file_size(file_.get()); });
  if (size < 0) return std::nullopt;
  const auto bytes = static_cast<std::uint64_t>(size);
  return segment == limit.segment ? std::min(bytes, limit.offset) : bytes;
}

bool evidence_source::fill(std::uint64_t offset, std::size_t bytes) {
  buffer_.resize(bytes);
  for (std::size_t have = 0; have < bytes;) {
    const auto got = uninterrupted([&] {
      return files_.pread(file_.get(), buffer_.data() + have, bytes - have, static_cast<off_t>(offset + have));
    });
    if (got <= 0) {
      failure_ = got < 0 ? last_system_error() : std::make_error_code(std::errc::io_error);
      return false;
    }
    have += static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<line_hash> evidence_source::hash_before(segment_position place) {
  if (place.offset == 0 || place > committed_() || open_segment(place.segment) != found::opened) return std::nullopt;
  const auto end = readable_end(place.segment, committed_());
  if (!end || *end < place.offset) return std::nullopt;
  std::error_code unread;
  const auto begin = end_of_last_line(files_, file_.get(), place.offset - 1, unread);
  // Longer than what anybody may send is no line that a collector can have.
  if (unread || place.offset - begin > node_limits::largest_batch) return std::nullopt;
  if (!fill(begin, place.offset - begin) || buffer_.back() != '\n') return std::nullopt;
  return sha256::of(buffer_);
}

std::uint64_t evidence_source::bytes_between(segment_position from, segment_position to) {
  if (to <= from) return 0;
  if (from.segment == to.segment) return to.offset - from.offset;
  std::uint64_t bytes = 0;
  std::error_code unlisted;
  for (const segment_on_disk& each : list_segments(dir_, unlisted)) {
    if (each.segment < from.segment || each.segment > to.segment) continue;
    const auto begin = each.segment == from.segment ? from.offset : 0;
    const auto end = each.segment == to.segment ? to.offset : each.bytes;
    if (end > begin) bytes += end - begin;
  }
  return bytes;
}

committed_log::reading evidence_source::fail() { return {outcome::failed, {}}; }

committed_log::reading evidence_source::read(segment_position after, std::size_t most) {
  const auto limit = committed_();
  if (after >= limit) return {outcome::at_end, {}};
  segment_position from = after;
  for (;;) {
    switch (from.segment == 0 ? found::absent : open_segment(from.segment)) {
      case found::failed: return fail();
      case found::absent: {
        // Of segments that are gone nothing follows; only where reading is to begin at any may it begin at the first.
        if (from == after && after.segment > 0) return {outcome::gone, {}};
        const auto next = next_segment(from.segment);
        if (!next || *next > limit.segment) return {outcome::at_end, {}};
        if (after.segment > 0) return {outcome::gone, {}};
        from = {*next, 0};
        continue;
      }
      case found::opened: break;
    }
    const auto end = readable_end(from.segment, limit);
    if (!end) return fail();
    if (from.offset < *end) {
      const auto batch = read_from(after, from, *end, most);
      if (batch.result != outcome::at_end || from.segment == limit.segment) return batch;
    }
    if (from.segment >= limit.segment) return {outcome::at_end, {}};
    from = {from.segment + 1, 0};
  }
}

/// `at_end`: what is left of the segment is no whole line.
committed_log::reading evidence_source::read_from(segment_position after, segment_position from, std::uint64_t end,
                                                  std::size_t most) {
  const auto left = end - from.offset;
  auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left, std::max<std::size_t>(most, 1)));
  for (;;) {
    if (!fill(from.offset, bytes)) return fail();
    const auto newline = buffer_.rfind('\n');
    if (newline != std::string::npos) {
      const std::string_view text{buffer_.data(), newline + 1};
      const auto lines = static_cast<std::uint32_t>(count_lines(text));
      return {outcome::lines, {after, from, text, lines}};
    }
    if (bytes == left) return {outcome::at_end, {}};
    if (bytes >= node_limits::largest_batch) {
      failure_ = std::make_error_code(std::errc::message_size);
      return fail();
    }
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>({left, bytes * 2, node_limits::largest_batch}));
  }
}

}  // namespace cellos
