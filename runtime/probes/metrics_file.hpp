#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "messages/host_probe.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

/// Where a VMM writes its metrics: a path below a directory that the VMM cannot replace, such as the jailer's chroot.
struct metrics_place {
  std::string directory;
  /// Relative; the VMM may own all of it.
  std::string path;
  /// Who must own the file; nothing: anybody.
  std::optional<uid_t> owner;
};

struct metrics_read_limits {
  /// Of one read; what is over is read the next time.
  std::size_t piece_bytes = std::size_t{1} << 20;
  /// Of a file that was not read before, or is further ahead, only so much of its end is read.
  std::size_t tail_bytes = std::size_t{256} << 10;
  /// How far a reader may be behind before it takes the end instead.
  std::size_t lag_bytes = std::size_t{16} << 20;
};

/// Reads what was added to a metrics file, or written to a FIFO, since the last time. Never waits, whoever writes.
class metrics_file {
 public:
  explicit metrics_file(metrics_place place, const metrics_read_limits& limits = {});

  struct piece {
    std::string bytes;
    /// The place of `bytes` in a regular file.
    std::uint64_t from = 0;
    std::uint64_t inode = 0;
    bool is_fifo = false;
    /// `bytes` begin a file: it was not read before, was replaced, or was begun anew.
    bool begins_file = false;
    /// `bytes` may begin within a line: what came before them was left out.
    bool begins_within_line = false;
  };
  probe_result<piece> read();

 private:
  std::optional<probe_error> find(piece& into);
  void choose_place(piece& into, const struct stat& status);

  metrics_place place_;
  metrics_read_limits limits_;
  opened_source source_;
  std::uint64_t offset_ = 0;
};

}  // namespace cellos
