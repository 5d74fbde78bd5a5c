#include "runtime/socket_service/chunk_ledger.hpp"

#include <algorithm>
#include <utility>

namespace cellos {

chunk_ledger::~chunk_ledger() {
  for (const chunk_ptr& chunk : unacknowledged_) budget_.give_back(chunk->bytes.capacity());
}

void chunk_ledger::keep(received_chunk chunk) {
  const std::lock_guard lock{mutex_};
  chunk.sequence = next_sequence_++;
  budget_.take(chunk.bytes.capacity());
  unacknowledged_.push_back(std::make_shared<const received_chunk>(std::move(chunk)));
}

void chunk_ledger::deliver_kept() {
  const std::lock_guard lock{mutex_};
  if (!deliver_) return;
  const auto count = std::min<std::uint64_t>(next_sequence_ - next_delivered_, unacknowledged_.size());
  next_delivered_ = next_sequence_;
  for (auto chunk = unacknowledged_.end() - static_cast<std::ptrdiff_t>(count); chunk != unacknowledged_.end();
       ++chunk) {
    deliver_(*chunk);
  }
}

void chunk_ledger::attach(std::uint64_t generation, cell_intake::delivery deliver) {
  const std::lock_guard lock{mutex_};
  if (generation < generation_) return;
  generation_ = generation;
  deliver_ = std::move(deliver);
  next_delivered_ = next_sequence_;
  for (const chunk_ptr& chunk : unacknowledged_) deliver_(chunk);
}

bool chunk_ledger::acknowledge(std::uint64_t sequence) {
  const std::lock_guard lock{mutex_};
  while (!unacknowledged_.empty() && unacknowledged_.front()->sequence <= sequence) {
    budget_.give_back(unacknowledged_.front()->bytes.capacity());
    unacknowledged_.pop_front();
  }
  return credit_.resumes(holdings_locked());
}

bool chunk_ledger::may_read() {
  const std::lock_guard lock{mutex_};
  return credit_.may_read(holdings_locked());
}

reading_credit::holdings chunk_ledger::holdings_locked() const {
  return {static_cast<bool>(deliver_), unacknowledged_.size(), budget_.exhausted()};
}

std::uint32_t chunk_ledger::unacknowledged() const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::uint32_t>(unacknowledged_.size());
}

chunk_ptr chunk_ledger::unacknowledged(std::uint64_t sequence) const {
  const std::lock_guard lock{mutex_};
  const auto kept = std::find_if(unacknowledged_.begin(), unacknowledged_.end(),
                                 [sequence](const chunk_ptr& chunk) { return chunk->sequence == sequence; });
  return kept == unacknowledged_.end() ? nullptr : *kept;
}

}  // namespace cellos
