#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/evidence/segment_log.hpp"
#include "runtime/segments/segment_reader.hpp"
#include "tests/soak/planted_faults.hpp"

namespace cellos::soak {

/// Reads a log while it grows, holds every line against what must be there, and lets go of the segments it has read.
///
/// Demanded of each chain: `sequence` counts from 1 without a gap, so no id comes twice. Of each cell, if its guest has
/// one connection: declarations come in the order of their numbers, from 1, without a gap but for poisoned chunks.
class log_follower {
 public:
  enum class order : std::uint8_t { of_each_cell, of_nobody };

  log_follower(std::filesystem::path dir, segment_log& log, const faulty_decoding& decoding, order demanded);
  ~log_follower();

  struct findings {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t declarations = 0;
    /// Numbers skipped where no poisoned chunk says why, and numbers that came again.
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::map<std::string, std::uint64_t, std::less<>> declarations_of;
    /// The first few, each a sentence.
    std::vector<std::string> faults;
  };
  /// After the log has been closed: reads to the end.
  findings finish();

 private:
  struct chain {
    std::string cell_id;
    std::uint64_t next_sequence = 1;
    std::uint64_t next_declaration = 1;
  };

  void run();
  void take(const evidence_line& line);
  void take_declaration(chain& known, std::uint64_t number, std::string_view text);
  void complain(std::string what, std::string_view text);

  segment_log& log_;
  const faulty_decoding& decoding_;
  order demanded_;
  segment_reader reader_;
  std::uint64_t segment_ = 1;
  std::map<std::string, chain, std::less<>> chains_;
  findings found_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cellos::soak
