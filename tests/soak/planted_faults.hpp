#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "actors/ports.hpp"
#include "messages/batch.hpp"

namespace cellos::soak {

/// The name of the process that a poisoned declaration reports.
inline constexpr std::string_view poison_comm = "poison";

/// Declarations of one poisoned chunk, by the numbers their guest gave them.
struct lost_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// The DECODER's work with faults: dies of every chunk with poison in it, of the next chunk when asked to, and hangs on
/// the chunks of one cell. Thread-safe.
class faulty_decoding {
 public:
  batch operator()(chunk_ptr chunk, host_stamp_ptr run);

  /// The next chunk, of whichever cell, ends its DECODER; the successor decodes it.
  void die_next(bool wanted) { doomed_ = wanted; }
  /// The number of DECODERs that did.
  std::uint64_t deaths() const { return deaths_; }

  /// The cell's DECODER does not come back from its next chunk until `release`.
  void hang(const std::string& cell_id);
  void release();

  struct poisoned {
    std::uint64_t chunks = 0;
    std::uint64_t frames = 0;
    std::uint64_t declarations = 0;
    /// Poisoned declarations met.
    std::uint64_t doses = 0;
  };
  poisoned met() const;
  /// The poisoned chunk of `cell_id` that begins with this declaration.
  std::optional<lost_range> lost_from(const std::string& cell_id, std::uint64_t first) const;

 private:
  void die_if_asked(const std::string& cell_id, std::uint64_t sequence);
  void wait_if_hung(const std::string& cell_id);
  void note_poison(const batch& decoded, std::uint64_t doses);

  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::atomic<bool> doomed_{false};
  /// Chunks a DECODER was made to die of: a second death would quarantine them.
  std::set<std::pair<std::string, std::uint64_t>> died_of_;
  std::set<std::string> hung_;
  std::set<std::pair<std::string, std::uint64_t>> poisoned_chunks_;
  std::map<std::string, std::map<std::uint64_t, lost_range>> lost_;
  poisoned met_;
  std::atomic<std::uint64_t> deaths_{0};
};

/// A log in front of a log: throws at the next append when asked to, which ends a SINK with lines pending; and takes
/// nothing for as long as it is asked to be full.
class faulty_log final : public evidence_log {
 public:
  explicit faulty_log(evidence_log& behind) : behind_(behind) {}

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override;

  void throw_next(bool wanted) { throw_ = wanted; }
  void be_full(bool full) { full_ = full; }
  std::uint64_t deaths() const { return deaths_; }

 private:
  evidence_log& behind_;
  std::atomic<bool> throw_{false};
  std::atomic<bool> full_{false};
  std::atomic<std::uint64_t> deaths_{0};
};

}  // namespace cellos::soak
