#include "runtime/probes/metrics_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/os/file_system.hpp"

namespace cellos {

namespace {

/// What a pipe holds, unless somebody made it larger: more is seldom there.
constexpr std::size_t step_bytes = std::size_t{64} << 10;

}  // namespace

metrics_file::metrics_file(metrics_place place, const metrics_read_limits& limits)
    : place_(std::move(place)), limits_(limits) {}

/// Keeps the file it has, if that is still what has the name: a FIFO that is closed loses what is in it.
std::optional<probe_error> metrics_file::find(piece& into) {
  const auto directory = open_trusted_directory(place_.directory);
  if (!directory) return directory.error();
  auto found = open_source(directory->get(), place_.path, {source_kind::regular_or_fifo, place_.owner, true});
  if (!found) {
    source_ = {};
    return found.error();
  }
  if (!source_.file || !source_.is_same_file(found->status)) {
    source_ = std::move(*found);
    offset_ = 0;
    into.begins_file = true;
  } else {
    source_.status = found->status;
  }
  return std::nullopt;
}

void metrics_file::choose_place(piece& into, const struct stat& status) {
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < offset_) {
    offset_ = 0;
    into.begins_file = true;
  }
  const std::uint64_t most = into.begins_file ? limits_.tail_bytes : limits_.lag_bytes;
  if (size - offset_ > most) {
    offset_ = size - limits_.tail_bytes;
    into.begins_within_line = true;
  }
  into.from = offset_;
}

probe_result<metrics_file::piece> metrics_file::read() {
  piece taken;
  if (auto error = find(taken)) return *std::move(error);
  taken.is_fifo = source_.is_fifo();
  taken.inode = source_.status.st_ino;
  if (!taken.is_fifo) choose_place(taken, source_.status);
  std::size_t most = limits_.piece_bytes;
  if (!taken.is_fifo) most = std::min<std::size_t>(most, static_cast<std::uint64_t>(source_.status.st_size) - offset_);
  std::size_t length = 0;
  while (length < most) {
    taken.bytes.resize(std::min(most, length + step_bytes));
    char* to = taken.bytes.data() + length;
    const std::size_t room = taken.bytes.size() - length;
    const auto bytes = uninterrupted([&] {
      return taken.is_fifo ? ::read(source_.file.get(), to, room)
                           : ::pread(source_.file.get(), to, room, static_cast<off_t>(offset_));
    });
    // A FIFO that has nothing, or nobody who writes to it.
    if (bytes == 0 || (bytes < 0 && errno == EAGAIN)) break;
    if (bytes < 0) return system_refusal("metrics", errno);
    length += static_cast<std::size_t>(bytes);
    if (!taken.is_fifo) offset_ += static_cast<std::uint64_t>(bytes);
  }
  taken.bytes.resize(length);
  return taken;
}

}  // namespace cellos
