#include "tests/soak/planted_faults.hpp"

#include <algorithm>
#include <stdexcept>

#include "messages/decode_chunk.hpp"

namespace cellos::soak {

batch faulty_decoding::operator()(chunk_ptr chunk, host_stamp_ptr run) {
  die_if_asked(run->cell_id, chunk->sequence);
  wait_if_hung(run->cell_id);
  batch decoded = decode_chunk(std::move(chunk), std::move(run));
  const auto doses = std::count_if(decoded.declarations.begin(), decoded.declarations.end(),
                                   [](const auto& declared) { return declared.guest_comm == poison_comm; });
  if (doses == 0) return decoded;
  note_poison(decoded, static_cast<std::uint64_t>(doses));
  throw std::runtime_error{"planted poison"};
}

void faulty_decoding::die_if_asked(const std::string& cell_id, std::uint64_t sequence) {
  if (!doomed_) return;
  const std::lock_guard lock{mutex_};
  if (!doomed_ || !died_of_.emplace(cell_id, sequence).second) return;
  doomed_ = false;
  ++deaths_;
  throw std::runtime_error{"planted death"};
}

void faulty_decoding::hang(const std::string& cell_id) {
  const std::lock_guard lock{mutex_};
  hung_.insert(cell_id);
}

void faulty_decoding::release() {
  {
    const std::lock_guard lock{mutex_};
    hung_.clear();
  }
  released_.notify_all();
}

void faulty_decoding::wait_if_hung(const std::string& cell_id) {
  std::unique_lock lock{mutex_};
  released_.wait(lock, [&] { return !hung_.contains(cell_id); });
}

void faulty_decoding::note_poison(const batch& decoded, std::uint64_t doses) {
  const std::lock_guard lock{mutex_};
  const std::string& cell_id = decoded.attribution->cell_id;
  if (!poisoned_chunks_.emplace(cell_id, decoded.chunk->sequence).second) return;
  const lost_range range{decoded.declarations.front().guest_monotonic_ns,
                         decoded.declarations.back().guest_monotonic_ns};
  lost_[cell_id].emplace(range.first, range);
  ++met_.chunks;
  met_.frames += decoded.chunk->frames;
  met_.declarations += decoded.declarations.size();
  met_.doses += doses;
}

faulty_decoding::poisoned faulty_decoding::met() const {
  const std::lock_guard lock{mutex_};
  return met_;
}

std::optional<lost_range> faulty_decoding::lost_from(const std::string& cell_id, std::uint64_t first) const {
  const std::lock_guard lock{mutex_};
  const auto cell = lost_.find(cell_id);
  if (cell == lost_.end()) return std::nullopt;
  const auto range = cell->second.find(first);
  if (range == cell->second.end()) return std::nullopt;
  return range->second;
}

std::error_code faulty_log::append(std::string_view lines, std::span<const chain_head> heads) {
  if (throw_.exchange(false)) {
    ++deaths_;
    throw std::runtime_error{"planted fault in the log"};
  }
  if (full_) return std::make_error_code(std::errc::no_space_on_device);
  return behind_.append(lines, heads);
}

}  // namespace cellos::soak
