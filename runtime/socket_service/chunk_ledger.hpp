#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "actors/ports.hpp"

namespace cellos {

/// Bytes in unacknowledged chunks of all cells together. Thread-safe.
class byte_budget {
 public:
  explicit byte_budget(std::size_t limit) : limit_(limit) {}

  void take(std::size_t bytes) { used_ += bytes; }
  void give_back(std::size_t bytes) { used_ -= bytes; }
  bool exhausted() const { return used_ >= limit_; }
  void set_limit(std::size_t limit) { limit_ = limit; }
  std::size_t used() const { return used_; }

 private:
  std::atomic<std::size_t> limit_;
  std::atomic<std::size_t> used_{0};
};

/// One cell's chunks between the I/O thread and its LISTENER: numbers them, holds them until they are acknowledged, and
/// says whether there is credit to read more. Thread-safe.
///
/// Numbering, keeping and delivering happen under one lock, so a delivery that replaces another misses no chunk.
class chunk_ledger {
 public:
  chunk_ledger(std::size_t max_chunks, byte_budget& budget) : max_chunks_(max_chunks), budget_(budget) {}
  chunk_ledger(const chunk_ledger&) = delete;
  chunk_ledger& operator=(const chunk_ledger&) = delete;
  ~chunk_ledger();

  /// Numbers the chunk, keeps it and delivers it.
  void emit(received_chunk chunk);
  /// Delivers everything unacknowledged, then each new chunk; nothing if a later generation is attached.
  void attach(std::uint64_t generation, cell_intake::delivery deliver);
  /// True if the cell may be read again after `may_read` had said no.
  bool acknowledge(std::uint64_t sequence);

  /// Whether one more chunk may be read. A cell with nothing outstanding may always read one, whatever the others hold;
  /// so the acknowledgement of a paused cell's last chunk, if none before, says that it may go on.
  bool may_read();
  std::uint32_t unacknowledged() const;
  /// Null if it is acknowledged, or was never emitted.
  chunk_ptr unacknowledged(std::uint64_t sequence) const;

 private:
  bool has_credit_locked() const;

  const std::size_t max_chunks_;
  byte_budget& budget_;
  mutable std::mutex mutex_;
  cell_intake::delivery deliver_;
  std::uint64_t generation_ = 0;
  /// `may_read` said no, and no acknowledgement has said yes since.
  bool paused_ = false;
  std::deque<chunk_ptr> unacknowledged_;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace cellos
