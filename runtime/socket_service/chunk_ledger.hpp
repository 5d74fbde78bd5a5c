#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "actors/ports.hpp"
#include "runtime/socket_service/byte_budget.hpp"
#include "runtime/socket_service/reading_credit.hpp"

namespace cellos {

/// One cell's chunks between the I/O thread and its DECODER: numbers them, holds them until they are acknowledged, and
/// says whether there is credit to read more. Thread-safe.
///
/// A delivery that replaces another misses no chunk: it begins with all that are unacknowledged.
class chunk_ledger {
 public:
  chunk_ledger(std::size_t max_chunks, byte_budget& budget) : credit_(max_chunks), budget_(budget) {}
  chunk_ledger(const chunk_ledger&) = delete;
  chunk_ledger& operator=(const chunk_ledger&) = delete;
  ~chunk_ledger();

  /// Numbers the chunk and keeps it, to be delivered with others.
  void keep(received_chunk chunk);
  /// Delivers what was kept since the last time.
  void deliver_kept();
  /// Delivers everything unacknowledged, then each new chunk; nothing if a later generation is attached.
  void attach(std::uint64_t generation, cell_intake::delivery deliver);
  /// True if the cell may be read again after `may_read` had said no.
  bool acknowledge(std::uint64_t sequence);

  /// Whether one more chunk may be read: see `reading_credit`.
  bool may_read();
  std::uint32_t unacknowledged() const;
  /// Null if it is acknowledged, or was never emitted.
  chunk_ptr unacknowledged(std::uint64_t sequence) const;

 private:
  reading_credit::holdings holdings_locked() const;

  mutable std::mutex mutex_;
  reading_credit credit_;
  byte_budget& budget_;
  cell_intake::delivery deliver_;
  std::uint64_t generation_ = 0;
  std::deque<chunk_ptr> unacknowledged_;
  std::uint64_t next_sequence_ = 1;
  /// The first that no delivery has had.
  std::uint64_t next_delivered_ = 1;
};

}  // namespace cellos
