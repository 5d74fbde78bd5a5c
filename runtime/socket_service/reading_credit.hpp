#pragma once

#include <cstddef>

namespace cellos {

/// Whether one cell may be read, and whether it may be read again. Pure; `chunk_ledger` asks it under its lock.
class reading_credit {
 public:
  /// What counts for and against the cell.
  struct holdings {
    /// Somebody takes its chunks.
    bool delivered = false;
    std::size_t unacknowledged = 0;
    /// The bytes that all cells share are used up.
    bool budget_exhausted = false;
  };

  explicit reading_credit(std::size_t max_chunks) : max_chunks_(max_chunks) {}

  /// Whether one more chunk may be read. A cell with nothing outstanding may always read one, whatever the others hold;
  /// so the acknowledgement of a paused cell's last chunk, if none before, says that it may go on.
  bool may_read(const holdings& held);
  /// After an acknowledgement: true once, if the cell may be read again after `may_read` had said no.
  bool resumes(const holdings& held);

 private:
  bool has_credit(const holdings& held) const;

  std::size_t max_chunks_;
  /// `may_read` said no, and `resumes` has not said yes since.
  bool paused_ = false;
};

}  // namespace cellos
